'use strict';
/** Profiles: made, signed, published and read by the libraries. */
const { ethers } = require('ethers');
const { createJsonDataUri, stringify } = require('@dm3-org/dm3-lib-shared');
const {
    createProfile,
    checkUserProfileWithAddress,
    getDeliveryServiceProfile,
    getUserProfile,
    PROFILE_RECORD_NAME,
} = require('@dm3-org/dm3-lib-profile');
const axios = require('axios');
const { connected, publishText } = require('./chain');

const people = new Map();

/** The person called `name`: {name, wallet, keys, signedProfile, account}. */
function person(name) {
    if (!people.has(name)) throw Error('there is no such person');
    return people.get(name);
}

const getResource = async (url) => (await axios.get(url)).data;

/** Makes keys and a signed profile from a wallet. Its private keys are told: the tests need both sides. */
async function createPerson({ name, privateKey, deliveryServices }) {
    const wallet = new ethers.Wallet(privateKey);
    const { signedProfile, keys } = await createProfile(wallet.address, deliveryServices, undefined, {
        signer: (text) => wallet.signMessage(text),
    });
    const account = {
        ensName: name,
        profile: signedProfile.profile,
        profileSignature: signedProfile.signature,
    };
    people.set(name, { name, wallet, keys, signedProfile, account });
    return { address: wallet.address, signedProfile, keys };
}

/** Publishes the signed profile of a person as a text record. */
async function publishProfile({ name }) {
    const value = createJsonDataUri(person(name).signedProfile);
    await publishText({ name, key: PROFILE_RECORD_NAME, value });
    return value;
}

/** Reads and verifies a profile on ENS. */
async function readProfile({ name }) {
    return getUserProfile(connected().provider, name);
}

/** Reads a delivery service's profile on ENS. */
async function readServiceProfile({ name }) {
    return getDeliveryServiceProfile(name, connected().provider, getResource);
}

/** Whether a signed profile is by the wallet of `address`. */
function checkProfile({ signedProfile, address }) {
    return checkUserProfileWithAddress(signedProfile, address);
}

/** The libraries' canonical JSON of a value. */
function canonicalize({ value }) {
    return stringify(value);
}

module.exports = {
    createPerson,
    publishProfile,
    readProfile,
    readServiceProfile,
    checkProfile,
    canonicalize,
};
Object.defineProperty(module.exports, 'person', { value: person, enumerable: false });
Object.defineProperty(module.exports, 'getResource', { value: getResource, enumerable: false });
