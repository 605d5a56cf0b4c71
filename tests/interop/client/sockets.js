'use strict';
/** Live sockets, opened as the reference's web client opens them, with the unmodified socket.io-client. */
const path = require('path');
const { io } = require('socket.io-client');

// In the package, but not exported from its index.
const { sendMessage } = require(
    path.join(path.dirname(require.resolve('@dm3-org/dm3-lib-delivery-api')), 'messaging-ws.js'),
);

const EVENTS = ['connect', 'authorized', 'unauthorized', 'message', 'disconnect', 'connect_error'];
const sockets = new Map();

/** The socket called `socket`: {connection, seen: {event: [argument…]}}. */
function opened(socket) {
    if (!sockets.has(socket)) throw Error('there is no such socket');
    return sockets.get(socket);
}

/** Opens a socket with a token. It reconnects by itself, quickly; what happens to it is kept. */
function openSocket({ socket, url, name, token }) {
    const connection = io(url, {
        autoConnect: false,
        forceNew: true,
        transports: ['websocket'],
        reconnectionDelay: 50,
        reconnectionDelayMax: 200,
    });
    const seen = Object.fromEntries(EVENTS.map((event) => [event, []]));
    for (const event of EVENTS) {
        connection.on(event, (argument) => {
            seen[event].push(argument instanceof Error ? argument.message : argument ?? null);
        });
    }
    connection.auth = { account: { ensName: name }, token };
    connection.connect();
    sockets.set(socket, { connection, seen });
}

/** Waits until `event` has happened `count` times; all that has happened. Fails after `within` ms. */
async function awaitSocket({ socket, event, count = 1, within = 10_000 }) {
    const deadline = Date.now() + within;
    const { seen } = opened(socket);
    while (seen[event].length < count) {
        if (Date.now() > deadline) throw Error(`${event} did not come: ${JSON.stringify(seen).slice(0, 500)}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return socketState({ socket });
}

/** All that has happened, and whether the socket is connected or will try to be. */
function socketState({ socket }) {
    const { connection, seen } = opened(socket);
    return { ...seen, connected: connection.connected, active: connection.active };
}

/** What the library's sendMessage calls back: 'success' or 'error'. */
async function sendOverSocket({ socket, token, envelop }) {
    return within(10_000, (resolve) =>
        sendMessage(opened(socket).connection, token, envelop, () => resolve('success'), () => resolve('error')),
    );
}

/** The acknowledgement of submitMessage with these data, whatever they are. */
async function emitSubmit({ socket, data }) {
    return within(10_000, (resolve) => opened(socket).connection.emit('submitMessage', data, resolve));
}

/** Leaves. */
function closeSocket({ socket }) {
    opened(socket).connection.disconnect();
    sockets.delete(socket);
}

async function within(milliseconds, start) {
    let timer;
    const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(Error('there was no acknowledgement')), milliseconds);
    });
    try {
        return await Promise.race([new Promise(start), late]);
    } finally {
        clearTimeout(timer);
    }
}

module.exports = { openSocket, awaitSocket, socketState, sendOverSocket, emitSubmit, closeSocket };
