// A device made of Microsoft's SDK (npm azure-iot-device). It connects with an
// X.509 identity, goes through what the hub promises a device, and says each
// step as one line on standard output. Any error ends it with status 1.
//
// usage: node device.js HOST:PORT DEVICE_ID ROOT CERTIFICATE KEY MODEL
'use strict';
const fs = require('fs');
const path = require('path');
const { createRequire } = require('module');

// The packages are not beside this file: SDK_MODULES says where they are.
const need = createRequire(path.join(process.env.SDK_MODULES, 'index.js'));
const { Client, Message } = need('azure-iot-device');
const { Mqtt } = need('azure-iot-device-mqtt');

const [hub, id, root, cert, key, modelId] = process.argv.slice(2);
const say = (step, detail) => console.log(detail === undefined ? step : `${step} ${JSON.stringify(detail)}`);

async function main() {
  const client = Client.fromConnectionString(`HostName=${hub};DeviceId=${id};x509=true`, Mqtt);
  await client.setOptions({
    ca: fs.readFileSync(root, 'utf8'),
    cert: fs.readFileSync(cert, 'utf8'),
    key: fs.readFileSync(key, 'utf8'),
    modelId,
  });
  await client.open();
  say('connected');

  const message = new Message('{"seq":1}');
  message.contentType = 'application/json';
  message.properties.add('kind', 'a&b');
  await client.sendEvent(message);
  say('sent');

  const twin = await client.getTwin();
  say('twin', twin.properties.desired);
  const report = (patch) => new Promise((done, failed) =>
    twin.properties.reported.update(patch, (err) => (err ? failed(err) : done())));
  await report({ firmware: { version: '1.2' } });
  say('reported');

  // A promise each, made before the hub is told to go on.
  const desired = new Promise((done) => twin.on('properties.desired', (patch) => {
    if (patch.interval !== undefined) done(patch);
  }));
  const called = new Promise((done, failed) => client.onDeviceMethod('reboot', (request, response) => {
    response.send(200, { asked: request.payload }).then(() => done(request.payload), failed);
  }));
  const received = new Promise((done, failed) => client.on('message', (m) => {
    client.complete(m).then(() => done({
      id: m.messageId, text: m.data.toString(), color: m.properties.getValue('color'),
    }), failed);
  }));
  say('listening');
  say('desired', await desired);
  say('called', await called);
  say('received', await received);
  await client.close();
  say('closed');
}

main().catch((err) => {
  console.error(err);
  process.exit(1);
});
