// A device made of MQTT.js (npm mqtt). Its CONNECT has an empty password and a
// retained will; its session is kept. It subscribes once, to its own telemetry
// too, sends one message of QoS 1, and goes without DISCONNECT when that was
// acknowledged, a message came for it, and its standard input has ended: it
// cannot know itself when its own acknowledgement has left. Each step is a line
// on standard output. Any error ends it with status 1.
//
// usage: node device.js PORT DEVICE_ID USER_NAME ROOT CERTIFICATE KEY
'use strict';
const fs = require('fs');
const path = require('path');
const { createRequire } = require('module');

// The packages are not beside this file: NODE_MODULES says where they are.
const mqtt = createRequire(path.join(process.env.NODE_MODULES, 'index.js'))('mqtt');

const [port, clientId, username, root, cert, key] = process.argv.slice(2);
const telemetry = `devices/${clientId}/messages/events/`;

const client = mqtt.connect({
  protocol: 'mqtts', host: 'localhost', port: Number(port), protocolVersion: 4,
  clientId, username, password: '', clean: false, resubscribe: false, reconnectPeriod: 100,
  will: { topic: telemetry, payload: 'gone', qos: 1, retain: true },
  ca: fs.readFileSync(root), cert: fs.readFileSync(cert), key: fs.readFileSync(key), maxVersion: 'TLSv1.2',
});

const fail = (err) => {
  console.error(err);
  process.exit(1);
};
client.on('error', fail);

const left = new Set(['sent', 'received', 'told']);
const step = (name, detail) => {
  console.log(detail === undefined ? name : `${name} ${detail}`);
  left.delete(name);
  if (left.size === 0) client.end(true); // without DISCONNECT
};
client.on('connect', (connack) => step('connected', connack.sessionPresent));
client.on('message', (topic, payload) => step(topic.startsWith(telemetry) ? 'echoed' : 'received', payload));

process.stdin.on('end', () => step('told')).resume();

client.once('connect', async () => {
  try {
    const granted = await client.subscribeAsync([`${telemetry}#`, `devices/${clientId}/messages/devicebound/#`], { qos: 1 });
    step('subscribed', granted.map((g) => g.qos).join(' '));
    await client.publishAsync(telemetry, 'hello', { qos: 1 });
    step('sent');
  } catch (err) {
    fail(err);
  }
});
