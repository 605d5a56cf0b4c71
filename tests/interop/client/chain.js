'use strict';
/** The Ethereum node: the provider the libraries are given, and names registered with plain transactions. */
const { ethers } = require('ethers');
const {
    executeTransaction,
    getConractInstance,
    getEnsTextRecord,
    resolveName,
} = require('@dm3-org/dm3-lib-shared').ethersHelper;

const REGISTRY = [
    'function setSubnodeRecord(bytes32 node, bytes32 label, address owner, address resolver, uint64 ttl)',
];
const RESOLVER = [
    'function setAddr(bytes32 node, address addr)',
    'function setText(bytes32 node, string key, string value)',
];

let network;

/** What `connect` made: {provider, relay: the relay's first line of output}. */
function connected() {
    if (!network) throw Error('connect first');
    return network;
}

/** Connects to the chain of a relay, described by the first line that `dm3 local` prints. */
async function connect(relay) {
    const asked = new ethers.providers.JsonRpcProvider(relay.rpc_url);
    const { chainId } = await asked.getNetwork();
    const provider = new ethers.providers.JsonRpcProvider(relay.rpc_url, {
        chainId,
        name: 'local',
        ensAddress: relay.ens_registry,
    });
    provider.pollingInterval = 20;
    network = { provider, relay };
    return { chainId };
}

/** Sends one transaction by the node's first account, the way the reference's web client sends its own. */
async function transact(address, abi, method, args) {
    const contract = getConractInstance(address, abi, connected().provider);
    const transaction = await executeTransaction({ method: contract[method], args });
    await transaction.wait();
}

/** Registers `<label>.eth`, owned by the node's first account, with an address record. */
async function registerName({ label, address }) {
    const { provider, relay } = connected();
    const owner = await provider.getSigner().getAddress();
    const name = `${label}.eth`;
    await transact(relay.ens_registry, REGISTRY, 'setSubnodeRecord', [
        ethers.utils.namehash('eth'),
        ethers.utils.id(label),
        owner,
        relay.ens_resolver,
        0,
    ]);
    await transact(relay.ens_resolver, RESOLVER, 'setAddr', [ethers.utils.namehash(name), address]);
    return name;
}

/** Publishes a text record. */
async function publishText({ name, key, value }) {
    await transact(connected().relay.ens_resolver, RESOLVER, 'setText', [
        ethers.utils.namehash(name),
        key,
        value,
    ]);
}

/** The address and a text record of a name, as the libraries read them; null where there is none. */
async function readRecords({ name, key }) {
    const { provider } = connected();
    const address = await resolveName(provider, name);
    const text = await getEnsTextRecord(provider, name, key);
    return { address, text: text || null };
}

module.exports = { connect, registerName, publishText, readRecords };
Object.defineProperty(module.exports, 'connected', { value: connected, enumerable: false });
