'use strict';
/**
 * The published dm3 libraries behind a line protocol, so that the tests can drive them.
 *
 * Standard input: one JSON object a line, {"call": name, "arguments": {...}}; standard output: one line for
 * each, {"result": ...} or {"error": {"message", "status", "body"}}. What the libraries print goes to
 * standard error. The libraries are used as they are on the registry; where 1.7.1 has no function for a
 * call, the HTTP request is the one the reference's web client makes.
 */
console.log = console.info = console.debug = console.error;
// Read by the libraries when they are loaded: their paths follow the address in the relay's profile.
process.env.REACT_APP_BACKEND = '';

const readline = require('readline');
const calls = {
    ...require('./chain'),
    ...require('./people'),
    ...require('./service'),
    ...require('./messages'),
    ...require('./notifications'),
    ...require('./sockets'),
};

function describe(error) {
    const told = { message: String((error && error.message) || error) };
    if (error && error.response) {
        told.status = error.response.status;
        told.body = error.response.data;
    }
    return told;
}

async function answer(line) {
    try {
        const request = JSON.parse(line);
        if (!Object.hasOwn(calls, request.call)) throw Error(`there is no call ${request.call}`);
        const result = await calls[request.call](request.arguments);
        return { result: result === undefined ? null : result };
    } catch (error) {
        return { error: describe(error) };
    }
}

async function main() {
    for await (const line of readline.createInterface({ input: process.stdin })) {
        process.stdout.write(JSON.stringify(await answer(line)) + '\n');
    }
    process.exit(0); // the provider's timers would keep the process alive
}

main();
