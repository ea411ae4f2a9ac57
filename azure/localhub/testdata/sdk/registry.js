// Microsoft's service SDK (npm azure-iothub) against a device registry. The
// environment says where and who: CONNECTION_STRING, WRONG_STRING, DEVICE_ID,
// PRIMARY, SECONDARY. On standard input comes a line when the device is connected. Each step that
// went as it must is a line; the first that did not ends it with code 1.
'use strict';
const assert = require('assert');
const https = require('https');
const path = require('path');
const readline = require('readline');
const { createRequire } = require('module');

// The packages are not beside this file: SDK_MODULES says where they are.
const { Client, Registry } = createRequire(path.join(process.env.SDK_MODULES, 'index.js'))('azure-iothub');

// The SDK dials port 443 of HostName and cannot be told another, so the
// sockets are led to the port that the connection string names, if it names one.
const [, host, port] = /HostName=([^;:]+)(?::(\d+))?;/.exec(process.env.CONNECTION_STRING);
if (port !== undefined) {
  const dial = https.Agent.prototype.createConnection;
  https.Agent.prototype.createConnection = function (options, done) {
    return dial.call(this, { ...options, port: Number(port) }, done);
  };
}
const bare = (text) => text.trim().replace(`HostName=${host}:${port}`, `HostName=${host}`);

const id = process.env.DEVICE_ID;
const prints = { primaryThumbprint: process.env.PRIMARY, secondaryThumbprint: process.env.SECONDARY };
const wanted = { deviceId: id, status: 'enabled', authentication: { type: 'selfSigned', x509Thumbprint: prints } };

const step = (name) => console.log(name);
const fails = (name, promise) => assert.rejects(promise, (err) => {
  assert.strictEqual(err.name, name, `${err.name}: ${err.message}`);
  return true;
});
const body = async (promise) => (await promise).responseBody;

async function identities(registry) {
  const made = await body(registry.create(wanted));
  assert.strictEqual(made.deviceId, id);
  assert.deepStrictEqual({ ...made.authentication.x509Thumbprint }, prints);
  step('create');
  await fails('DeviceAlreadyExistsError', registry.create(wanted));
  await fails('ArgumentError', registry.create({ deviceId: 'keyed' })); // the SDK asks for a key then
  step('create refused');
  const got = await body(registry.get(id));
  assert.strictEqual(got.etag, made.etag);
  await fails('DeviceNotFoundError', registry.get('nobody'));
  step('get');
  const updated = await body(registry.update({ ...wanted, status: 'disabled', statusReason: 'away' }));
  assert.strictEqual(updated.status, 'disabled');
  assert.strictEqual((await body(registry.get(id))).statusReason, 'away');
  await body(registry.update(wanted));
  await fails('DeviceNotFoundError', registry.update({ ...wanted, deviceId: 'nobody' }));
  step('update');
  await registry.create({ ...wanted, deviceId: 'another:one' });
  assert.deepStrictEqual((await body(registry.list())).map((d) => d.deviceId).sort(), [id, 'another:one'].sort());
  step('list');
  const query = registry.createQuery('SELECT * FROM devices', 1);
  const found = [];
  while (query.hasMoreResults) {
    const page = await query.nextAsTwin();
    assert.ok(page.result.length <= 1);
    found.push(...page.result.map((t) => t.deviceId));
  }
  assert.deepStrictEqual(found.sort(), [id, 'another:one'].sort());
  step('query');
}

async function twinAndMethod(registry, client) {
  const first = await body(registry.getTwin(id));
  assert.strictEqual(first.properties.desired.$version, 1);
  const patch = { properties: { desired: { rate: 5 } } };
  const second = await body(registry.updateTwin(id, patch, first.etag));
  assert.deepStrictEqual([second.properties.desired.rate, second.properties.desired.$version], [5, 2]);
  await fails('InvalidEtagError', registry.updateTwin(id, patch, first.etag));
  await registry.updateTwin(id, { properties: { desired: { rate: 6 } } }, '*');
  step('twin');
  const answer = await client.invokeDeviceMethod(id, { methodName: 'reboot', payload: { in: 5 }, responseTimeoutInSeconds: 10 });
  assert.deepStrictEqual(answer.result, { status: 207, payload: { ok: true } });
  step('method');
}

async function removal(registry) {
  await registry.delete(id);
  await fails('DeviceNotFoundError', registry.delete(id));
  await registry.delete('another:one');
  assert.deepStrictEqual(await body(registry.list()), []);
  step('delete');
  const stranger = Registry.fromConnectionString(bare(process.env.WRONG_STRING));
  await fails('UnauthorizedError', stranger.list());
  step('wrong key');
}

async function main() {
  const registry = Registry.fromConnectionString(bare(process.env.CONNECTION_STRING));
  const client = Client.fromConnectionString(bare(process.env.CONNECTION_STRING));
  const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  await identities(registry);
  step('connect');
  await lines.next();
  await twinAndMethod(registry, client);
  await removal(registry);
}

main().then(() => process.exit(0), (err) => {
  console.error(err);
  process.exit(1);
});
