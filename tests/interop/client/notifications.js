'use strict';
/**
 * Notifications by the libraries' own functions, which find the delivery service through the profile on ENS; and
 * as the web client calls the same routes: the functions of 1.7.1 answer nothing at all where they are refused.
 */
const axios = require('axios');
const { normalizeEnsName } = require('@dm3-org/dm3-lib-profile');
const api = require('@dm3-org/dm3-lib-delivery-api');
const { connected } = require('./chain');
const { person } = require('./people');

/** The libraries take account, provider and token first; what a function takes besides is said by `rest`. */
const caller =
    (call, rest = () => []) =>
    async (given) =>
        call(person(given.name).account, connected().provider, given.token, ...rest(given));

const ofType = ({ type }) => [type];

/** A call as the web client makes it, whose refusals carry status and sentence. */
async function webNotifications({ name, url, token, method, path, body }) {
    const { data, status } = await axios.request({
        baseURL: url,
        url: `/notifications/${path}${normalizeEnsName(name)}`,
        method,
        data: body,
        headers: { Authorization: `Bearer ${token}` },
    });
    return { data, status };
}

module.exports = {
    webNotifications,
    globalNotification: caller(api.getGlobalNotification),
    toggleGlobalNotifications: caller(api.toggleGlobalNotifications, ({ isEnabled }) => [isEnabled]),
    notificationChannels: caller(api.getAllNotificationChannels),
    addNotificationChannel: caller(api.addNotificationChannel, ({ recipient, type }) => [recipient, type]),
    sendOtp: caller(api.sendOtp, ofType),
    verifyOtp: caller(api.verifyOtp, ({ otp, type }) => [otp, type]),
    toggleNotificationChannel: caller(api.toggleNotificationChannel, ({ isEnabled, type }) => [isEnabled, type]),
    removeNotificationChannel: caller(api.removeNotificationChannel, ofType),
};
