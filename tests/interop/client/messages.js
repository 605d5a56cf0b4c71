'use strict';
/** Messages: made, sealed, submitted, opened and checked by the libraries. */
const { ethers } = require('ethers');
const { checkSignature, encryptAsymmetric, sign } = require('@dm3-org/dm3-lib-crypto');
const { sha256, stringify } = require('@dm3-org/dm3-lib-shared');
const messaging = require('@dm3-org/dm3-lib-messaging');
const axios = require('axios');
const { connected } = require('./chain');
const { person, getResource } = require('./people');

/** One function of the libraries for each type of message. */
const MAKERS = {
    NEW: (m, key) => messaging.createMessage(m.to, m.from, m.text, key, m.attachments),
    EDIT: (m, key) =>
        messaging.createEditMessage(m.to, m.from, m.text, key, m.reference, m.attachments),
    REPLY: (m, key) =>
        messaging.createReplyMessage(m.to, m.from, m.text, key, m.reference, m.attachments),
    REACTION: (m, key) => messaging.createReactionMessage(m.to, m.from, m.text, key, m.reference),
    DELETE_REQUEST: (m, key) => messaging.createDeleteRequestMessage(m.to, m.from, key, m.reference),
    READ_OPENED: (m, key) => messaging.createReadOpenMessage(m.to, m.from, m.text, key, m.reference),
    READ_RECEIVED: (m, key) =>
        messaging.createReadReceiveMessage(m.to, m.from, m.text, key, m.reference),
};

/** The metadata that the sources since September 2024 make: the hash is of the message, not of its seal. */
async function sinceSeptember2024(made, keys) {
    const { signature, encryptedMessageHash, ...kept } = made.encryptedEnvelop.metadata;
    const unsigned = { ...kept, messageHash: sha256(stringify(made.envelop.message)) };
    const metadata = {
        ...unsigned,
        signature: await sign(keys.signingKeyPair.privateKey, stringify(unsigned)),
    };
    return { message: made.encryptedEnvelop.message, metadata };
}

/**
 * Makes a message and its envelope. `known` holds what else would be read from the chain: the profiles of
 * receiver and delivery service; and in `known.sender` another name for the delivery information.
 */
async function build({ message, revision, known }) {
    const { keys, account } = person(message.from);
    const made = await MAKERS[message.type || 'NEW'](message, keys.signingKeyPair.privateKey);
    const dependencies = known && {
        to: { ensName: message.to, profile: known.receiver },
        from: { ...account, ensName: known.sender || account.ensName },
        deliverServiceProfile: known.service,
    };
    const provider = known ? undefined : connected().provider;
    const created = await messaging.createEnvelop(made, provider, keys, getResource, dependencies);
    const envelop =
        revision === 'messageHash' ? await sinceSeptember2024(created, keys) : created.encryptedEnvelop;
    return { message: made, envelop, url: created.deliveryServiceUrl, size: messaging.getEnvelopSize(envelop) };
}

/** Submits an envelope as the reference clients do: without `id`, the envelope as text. */
async function submit({ envelop, url, token }) {
    const call = messaging.createJsonRpcCallSubmitMessage(envelop, token);
    const { data, status } = await axios.create({ baseURL: url }).post('/rpc', call);
    return { data, status };
}

/** Makes a message, and submits it to the delivery service that the receiver's profile names. */
async function send(wanted) {
    const built = await build(wanted);
    return { ...built, answer: await submit({ envelop: built.envelop, url: built.url }) };
}

/** Sends through the libraries' message proxy: one envelope for each delivery service of the receiver. */
async function sendOverProxy({ message }) {
    const { keys } = person(message.from);
    const { provider } = connected();
    const made = await MAKERS.NEW(message, keys.signingKeyPair.privateKey);
    const proxyEnvelop = await messaging.createProxyEnvelop(made, provider, keys, getResource);
    const answers = [];
    await messaging.sendOverMessageProxy({
        provider,
        proxyEnvelop,
        getRessource: getResource,
        submitMessage: async (url, envelop) => answers.push(await submit({ envelop, url })),
    });
    return { message: made, answers };
}

/** Opens an envelope from the inbox and says what the libraries can check of it. */
async function open({ name, envelop, senderSigningKey, serviceSigningKey }) {
    const opened = await messaging.decryptEnvelop(envelop, person(name).keys.encryptionKeyPair);
    const { message, postmark } = opened;
    const { signature, ...marked } = postmark;
    return {
        message,
        postmark,
        id: messaging.getId({ message }),
        checks: {
            message: await messaging.checkMessageSignature(message, senderSigningKey, message.metadata.from),
            postmark: await checkSignature(serviceSigningKey, sha256(stringify(marked)), signature),
            postmarkHash: postmark.messageHash === ethers.utils.hashMessage(stringify(envelop.message)),
        },
    };
}

/** What a delivery service of the reference does with an envelope: opens its delivery information, marks it. */
async function deliver({ envelop, serviceKeys, receiverProfile }) {
    return messaging.handleMessageOnDeliveryService(envelop, serviceKeys, receiverProfile);
}

/** Seals a text as the libraries do. */
async function seal({ receiverKey, text }) {
    return encryptAsymmetric(receiverKey, text);
}

module.exports = { build, submit, send, sendOverProxy, open, deliver, seal };
