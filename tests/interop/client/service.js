'use strict';
/** The delivery service over HTTP: by the libraries' functions, and as the reference's web client calls it. */
const path = require('path');
const api = require('@dm3-org/dm3-lib-delivery-api');
const { sign } = require('@dm3-org/dm3-lib-crypto');
const { normalizeEnsName } = require('@dm3-org/dm3-lib-profile');
const axios = require('axios');
const { connected } = require('./chain');
const { person } = require('./people');

// In the package, but not exported from its index.
const messaging = require(
    path.join(path.dirname(require.resolve('@dm3-org/dm3-lib-delivery-api')), 'messaging-http.js'),
);

const clients = new Map();

/** Signs in the way the web client does: fetches a challenge, signs its text, posts both. */
async function signIn({ name, url, signingKey }) {
    const address = `${url}/auth/${normalizeEnsName(name)}`;
    const { data: challenge } = await axios.get(address);
    const key = signingKey || person(name).keys.signingKeyPair.privateKey;
    const { data: token } = await axios.post(address, {
        signature: await sign(key, challenge),
        challenge,
    });
    return token;
}

/** The web client's connection: it signs in when it is answered 401, once, and repeats the request. */
function client(name, url) {
    const key = `${name} ${url}`;
    if (clients.has(key)) return clients.get(key);
    const connection = { http: axios.create({ baseURL: url }), signIns: 0, token: undefined };
    connection.http.interceptors.response.use(undefined, async (error) => {
        if (!error.response || error.response.status !== 401 || error.config.repeated) throw error;
        connection.signIns += 1;
        use(connection, await signIn({ name, url }));
        const headers = { ...error.config.headers, Authorization: `Bearer ${connection.token}` };
        return connection.http.request({ ...error.config, headers, repeated: true });
    });
    clients.set(key, connection);
    return connection;
}

function use(connection, token) {
    connection.token = token;
    connection.http.defaults.headers.common.Authorization = `Bearer ${token}`;
}

/** Starts with a token, as the web client does with what `POST /profile` answered. */
function useToken({ name, url, token }) {
    use(client(name, url), token);
}

/** How often the connection had to sign in, and the token it holds. */
function session({ name, url }) {
    const { signIns, token } = client(name, url);
    return { signIns, token };
}

/** Posts the signed profile. The result is what the relay answers. */
async function submitProfile({ name, url }) {
    const { account, signedProfile } = person(name);
    return api.submitUserProfile(url, account, signedProfile);
}

/** The profile that the delivery service has for a name. */
async function storedProfile({ name, url }) {
    return (await axios.get(`${url}/profile/${normalizeEnsName(name)}`)).data;
}

/** The libraries' own getChallenge; 1.7.1 reads a member that no delivery service answers. */
async function libraryChallenge({ name }) {
    return api.getChallenge(person(name).account, connected().provider);
}

/** The properties of the delivery service named in the person's profile. */
async function properties({ name }) {
    return api.getDeliveryServiceProperties(connected().provider, person(name).account);
}

/** A call without `id`, as every reference client makes them; what was answered, with its status. */
async function rpc({ url, method, params }) {
    const { data, status } = await axios
        .create({ baseURL: url })
        .post('/rpc', { jsonrpc: '2.0', method, params });
    return { data, status };
}

/** Ends every session of a person; the reference has no call for it. */
async function signOutEverywhere({ name, url, token }) {
    const address = `${url}/auth/${normalizeEnsName(name)}/sign-out-everywhere`;
    await axios.post(address, undefined, { headers: { Authorization: `Bearer ${token}` } });
}

/** Everything that waits for a person. */
async function incoming({ name, url }) {
    const address = `/delivery/messages/incoming/${normalizeEnsName(name)}/`;
    return (await client(name, url).http.get(address)).data;
}

/** Everything that waits, asked for with a given token and without signing in. */
async function incomingWith({ name, url, token }) {
    const address = `${url}/delivery/messages/incoming/${normalizeEnsName(name)}/`;
    return (await axios.get(address, { headers: { Authorization: `Bearer ${token}` } })).data;
}

/** What waits from one contact. */
async function fromContact({ name, contact, token }) {
    return messaging.getNewMessages(person(name).account, token, contact, connected().provider);
}

/** Acknowledges as the web client does: pairs of contact and message hash. */
async function acknowledge({ name, url, acknowledgements }) {
    const address = `/delivery/messages/${normalizeEnsName(name)}/syncAcknowledgements/`;
    const { data, status } = await client(name, url).http.post(address, { acknowledgements });
    return { data, status };
}

module.exports = {
    signIn,
    useToken,
    session,
    submitProfile,
    storedProfile,
    libraryChallenge,
    properties,
    rpc,
    signOutEverywhere,
    incoming,
    incomingWith,
    fromContact,
    acknowledge,
};
