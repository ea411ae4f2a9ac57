// An AMQP endpoint in place of Azure's, on npm rhea: the Event Hubs-compatible
// endpoint of a hub, and the hub's own for messages to devices. The first line
// on standard input says what it is, each further one is a command, answered by
// {"done": n}; what it sees it says as lines on standard output. It ends with
// its standard input.
//
// usage: node standin.js
'use strict';
const crypto = require('crypto');
const path = require('path');
const readline = require('readline');
const { createRequire } = require('module');

// The packages are not beside this file: SDK_MODULES says where they are.
const need = createRequire(path.join(process.env.SDK_MODULES, 'index.js'));
const container = need('rhea').create_container({ id: 'standin' });
const { types, message } = need('rhea');

const linksOf = (connection) => Object.values(connection.local_channel_map).flatMap((session) => Object.values(session.links));
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const connections = new Map(); // connection → what it was allowed to
let config;
let server;
let partitions = [];
let faults = []; // {on, condition, description, times}: attaches that are refused
let tokenFault; // {code, description}: what every token is answered with
const feedback = []; // waiting for a reader

// --- tokens -----------------------------------------------------------------

// Event Hubs signs with the key as it is written, IoT Hub with what it decodes to.
const signed = (token, at, key) => {
  const fields = Object.fromEntries(token.replace(/^SharedAccessSignature /, '').split('&').map((f) => {
    const i = f.indexOf('=');
    return [f.slice(0, i), f.slice(i + 1)];
  }));
  const known = config.policies[fields.skn && decodeURIComponent(fields.skn)];
  if (!known) return [401, 'InvalidSignature: The token has an invalid signature.'];
  const mac = crypto.createHmac('sha256', key(known)).update(`${fields.sr}\n${fields.se}`).digest('base64');
  if (mac !== decodeURIComponent(fields.sig || '')) return [401, 'InvalidSignature: The token has an invalid signature.'];
  if (Number(fields.se) * 1000 < Date.now()) return [401, 'ExpiredToken: The token is expired.'];
  const resource = decodeURIComponent(fields.sr).toLowerCase().replace(/^[a-z]+:\/\//, '').replace(/\/$/, '');
  const audience = at.toLowerCase().replace(/^[a-z]+:\/\//, '').replace(/\/$/, '');
  if (audience !== resource && !audience.startsWith(`${resource}/`)) return [401, 'InvalidAudience: The token is for another resource.'];
  return [202, 'Accepted'];
};

const judged = (type, token, audience) => {
  if (tokenFault) return [tokenFault.code, tokenFault.description];
  const host = decodeURIComponent(audience).toLowerCase().replace(/^[a-z]+:\/\//, '').split('/')[0];
  if (host === config.namespace) {
    if (type === 'jwt') {
      return config.tokens.includes(token) ? [202, 'Accepted'] : [401, 'InvalidToken: this endpoint takes no such token.'];
    }
    return signed(token, audience, (key) => key);
  }
  if (host === config.hub || host === 'iothubs.azure.net') {
    if (token.startsWith('Bearer ')) {
      return config.tokens.includes(token.slice('Bearer '.length)) ? [200, 'OK'] : [401, 'Unauthorized'];
    }
    const [code, why] = signed(token, decodeURIComponent(audience), (key) => Buffer.from(key, 'base64'));
    return [code === 202 ? 200 : code, why];
  }
  return [404, `InvalidAudience: ${host} is not here.`];
};

const answer = (context, properties, body) => {
  const from = context.receiver.target.address;
  const to = Object.values(context.session.links).find((link) => link.is_sender() && link.source && link.source.address === from);
  if (!to) return;
  to.send({ correlation_id: context.message.message_id, to: context.message.reply_to, application_properties: properties, body });
};

const cbs = (context) => {
  const { type, name } = context.message.application_properties;
  const [code, description] = judged(type, String(context.message.body), name);
  if (code < 300) connections.get(context.connection).push(name);
  say({ token: { audience: name, type, code } });
  answer(context, { 'status-code': types.wrap_int(code), 'status-description': description });
};

// --- what the hub keeps -----------------------------------------------------

const last = (p) => (p.events.length ? p.events[p.events.length - 1].sequence : -1);

const management = (context) => {
  const asked = context.message.application_properties;
  if (asked.name !== config.entity) {
    return answer(context, { 'status-code': types.wrap_int(404), 'status-description': `The messaging entity '${asked.name}' could not be found.` });
  }
  const ok = { 'status-code': types.wrap_int(200), 'status-description': 'OK' };
  if (asked.type === 'com.microsoft:eventhub') {
    return answer(context, ok, {
      name: config.entity,
      type: asked.type,
      created_at: types.wrap_timestamp(0),
      partition_count: types.wrap_int(partitions.length),
      partition_ids: types.wrap_array(partitions.map((p) => p.id), 0xb1),
      georeplication_factor: types.wrap_int(1),
    });
  }
  const p = partitions.find((one) => one.id === asked.partition);
  if (!p) return answer(context, { 'status-code': types.wrap_int(404), 'status-description': 'no such partition' });
  const end = p.events[p.events.length - 1];
  return answer(context, ok, {
    name: config.entity,
    type: asked.type,
    partition: p.id,
    begin_sequence_number: types.wrap_long(0),
    last_enqueued_sequence_number: types.wrap_long(last(p)),
    last_enqueued_offset: end ? String(end.sequence * 100) : '-1',
    last_enqueued_time_utc: types.wrap_timestamp(end ? end.enqueued : 0),
    is_partition_empty: !end,
  });
};

// A device's events are all in one partition.
const partitionOf = (device) => partitions[crypto.createHash('sha256').update(device).digest()[0] % partitions.length];

const arrive = (event) => {
  const p = event.partition === undefined ? partitionOf(event.device) : partitions[event.partition];
  p.events.push({ ...event, sequence: last(p) + 1, enqueued: event.enqueued ? Date.parse(event.enqueued) : Date.now() });
};

const asMessage = (e) => {
  const annotations = {
    'x-opt-sequence-number': types.wrap_long(e.sequence),
    'x-opt-offset': String(e.sequence * 100),
    'x-opt-enqueued-time': types.wrap_timestamp(e.enqueued),
    'x-opt-partition-key': e.device,
    'iothub-connection-device-id': e.device,
    'iothub-connection-auth-method': e.auth || '{"scope":"device","type":"x509","issuer":"iothub"}',
    'iothub-connection-auth-generation-id': e.generation || '638000000000000000',
    'iothub-enqueuedtime': types.wrap_timestamp(e.enqueued),
    'iothub-message-source': e.source || 'Telemetry',
    ...e.annotations,
  };
  return {
    ...e.system,
    message_annotations: annotations,
    application_properties: e.properties || {},
    body: message.data_section(Buffer.from(e.body || '', 'base64')),
  };
};

// --- links ------------------------------------------------------------------

const refuse = (link, condition, description, info) => {
  link.local.attach.source = undefined;
  link.local.attach.target = undefined;
  link.close({ condition, description, info });
};

const faulty = (link, address) => {
  const fault = faults.find((f) => address.includes(f.on));
  if (!fault) return false;
  if (fault.times > 0 && --fault.times === 0) faults = faults.filter((f) => f !== fault);
  refuse(link, fault.condition, fault.description);
  return true;
};

// allowed: a token was taken for the address, or for something above it.
const allowed = (connection, address) => connections.get(connection).some((name) => {
  const at = decodeURIComponent(name).toLowerCase().replace(/^[a-z]+:\/\/[^/]*\/?/, '');
  return connection.by_password || at === '' || !at.includes('/') || address.toLowerCase().startsWith(at);
});

const filterOf = (link) => {
  const filter = (link.source && link.source.filter) || {};
  const found = Object.values(filter)[0];
  return String(found === undefined ? '' : found.value === undefined ? found : found.value);
};

// begin is the sequence number that a reader is to begin with.
const begin = (p, expression) => {
  const [, what, how, value] = /x-opt-([a-z-]+) (>=?) '([^']*)'/.exec(expression) || [];
  const inclusive = how === '>=';
  const bound = (n) => (inclusive ? n : n + 1);
  switch (what) {
    case 'sequence-number': return bound(Number(value));
    case 'offset': return value === '@latest' ? last(p) + 1 : value === '-1' ? 0 : bound(Number(value) / 100);
    case 'enqueued-time': {
      const i = p.events.findIndex((e) => (inclusive ? e.enqueued >= Number(value) : e.enqueued > Number(value)));
      return i < 0 ? last(p) + 1 : p.events[i].sequence;
    }
    default: return 0;
  }
};

const pump = (link) => {
  const { partition } = link.reading;
  while (link.sendable() && link.reading.next <= last(partition)) {
    // Settled at once: Go's client settles none, and would get no more credit.
    link.send(asMessage(partition.events[link.reading.next])).settled = true;
    link.reading.next++;
  }
};

const readers = () => [...connections.keys()].flatMap(linksOf).filter((link) => link.reading && link.is_open());

const openPartition = (link, address, [, entity, group, id]) => {
  const partition = partitions.find((p) => p.id === id);
  if (entity !== config.entity || !partition) {
    return refuse(link, 'amqp:not-found', `The messaging entity '${entity}' could not be found.`);
  }
  if (!config.groups.some((g) => g.toLowerCase() === group.toLowerCase())) {
    return refuse(link, 'amqp:not-found', `The messaging entity '${entity}:${group}' could not be found.`);
  }
  const already = readers().filter((other) => other.reading.partition === partition && other.reading.group === group.toLowerCase());
  if (already.length >= 5) {
    return refuse(link, 'amqp:resource-limit-exceeded', 'Exceeded the maximum number of allowed receivers per partition in a consumer group which is 5.');
  }
  link.reading = { partition, group: group.toLowerCase(), next: begin(partition, filterOf(link)) };
  return say({ attached: { address, filter: filterOf(link) } });
};

const opened = (link, address) => {
  if (faulty(link, address)) return;
  // Clients insist on the settle mode that they asked for.
  link.local.attach.snd_settle_mode = link.remote.attach.snd_settle_mode;
  link.local.attach.rcv_settle_mode = link.remote.attach.rcv_settle_mode;
  const { source, target } = link;
  link.set_source({ address: source ? source.address : undefined, filter: source ? source.filter : undefined });
  link.set_target({ address: target ? target.address : undefined });
  link.local.attach.max_message_size = 262144;
  const path_ = address.replace(/^amqps:\/\/[^/]*/, '').replace(/^\//, '');
  if (path_ === '$cbs') return;
  if (path_.toLowerCase() === 'messages/events/$management') {
    refuse(link, 'amqp:link:redirect', 'the events are elsewhere', {
      hostname: config.namespace, address: `amqps://${config.namespace}:5671/${config.entity}/$management`,
    });
    return;
  }
  // Go's client names the Event Hub in the token and in the request alone.
  if (path_ === '$management' && connections.get(link.connection).length) return;
  if (!allowed(link.connection, path_)) {
    refuse(link, 'amqp:unauthorized-access', `Unauthorized access. 'Listen' claim(s) are required to perform this operation. Resource: '${path_}'.`);
    return;
  }
  const reading = /^(.*)\/ConsumerGroups\/(.*)\/Partitions\/(.*)$/i.exec(path_);
  if (reading) {
    openPartition(link, address, reading);
  } else if (path_ === `${config.entity}/$management`) {
    // open to all that may listen
  } else if (/^messages\/devicebound$/i.test(path_) && link.is_receiver()) {
    say({ attached: { address } });
  } else if (/^messages\/servicebound\/feedback$/i.test(path_) && link.is_sender()) {
    link.feedback = true;
    say({ attached: { address } });
  } else {
    refuse(link, 'amqp:not-found', `The messaging entity '${path_}' could not be found.`);
  }
};

// The hub takes a message to a device that it knows.
const deviceBound = (context) => {
  const m = context.message;
  const device = /^\/devices\/([^/]*)\/messages\/devicebound$/i.exec(m.to || '');
  const name = device && decodeURIComponent(device[1]);
  if (!device || (config.devices.length && !config.devices.includes(name))) {
    context.delivery.update(true, message.rejected({ error: { condition: 'amqp:not-found', description: `ErrorCode:DeviceNotFound;Device ${name} not registered` } }).described());
    return;
  }
  const properties = { ...m.application_properties };
  const ack = properties['iothub-ack'];
  delete properties['iothub-ack'];
  const body = m.body && m.body.content !== undefined ? m.body.content : m.body;
  say({ sent: {
    device: name,
    to: m.to,
    id: m.message_id === undefined ? '' : String(m.message_id),
    ack: ack || '',
    expiry: m.absolute_expiry_time ? new Date(Number(m.absolute_expiry_time)).toISOString() : undefined,
    properties,
    body: Buffer.from(body || '').toString('base64'),
  } });
  context.delivery.update(true, message.accepted().described());
};

const pumpFeedback = () => {
  for (const link of [...connections.keys()].flatMap(linksOf)) {
    while (link.feedback && link.is_open() && link.sendable() && feedback.length) {
      link.send({ content_type: 'application/vnd.microsoft.iothub.feedback.json', body: message.data_section(Buffer.from(JSON.stringify(feedback.shift()))) });
    }
  }
};

container.sasl_server_mechanisms.enable_anonymous();
container.sasl_server_mechanisms.MSSBCBS = container.sasl_server_mechanisms.ANONYMOUS;
container.sasl_server_mechanisms.enable_plain((user, password) => {
  const hub = config.hub.split('.')[0];
  const [code] = user.endsWith(`@sas.root.${hub}`) ? signed(password, `${config.hub}/messages/events`, (key) => Buffer.from(key, 'base64')) : [401];
  say({ token: { audience: user, type: 'plain', code } });
  return code < 300 && !tokenFault;
});
container.on('connection_open', (context) => {
  connections.set(context.connection, []);
  say({ connection: 'opened' });
});
for (const end of ['connection_close', 'disconnected']) {
  container.on(end, (context) => {
    if (connections.delete(context.connection)) say({ connection: 'closed' });
  });
}
container.on('sender_open', (context) => opened(context.sender, context.sender.source ? context.sender.source.address || '' : ''));
container.on('receiver_open', (context) => opened(context.receiver, context.receiver.target ? context.receiver.target.address || '' : ''));
container.on('sendable', (context) => {
  if (context.sender.reading) pump(context.sender);
  if (context.sender.feedback) pumpFeedback();
});
container.on('message', (context) => {
  const to = context.receiver.target.address;
  if (!to.endsWith('$cbs') && !to.endsWith('$management')) return deviceBound(context);
  context.delivery.accept();
  return to.endsWith('$cbs') ? cbs(context) : management(context);
});
// The ends of links and connections are everyday here.
for (const end of ['error', 'connection_error', 'session_error', 'sender_error', 'receiver_error', 'protocol_error', 'sender_close', 'receiver_close', 'session_close']) {
  container.on(end, () => {});
}

// --- commands ---------------------------------------------------------------

const cut = () => { for (const c of connections.keys()) c.socket.destroy(); };

const listen = (port, then) => {
  server = container.listen({
    host: '127.0.0.1', port, transport: 'tls', cert: config.certificate, key: config.key, idle_time_out: 120000, autoaccept: false, max_frame_size: 65536,
  });
  server.on('listening', () => then(server.address().port));
  server.on('error', (err) => { console.error(err); process.exit(1); });
  server.on('tlsClientError', () => {}); // a client with another root
};

let port;
const commands = {
  events: (events, done) => { events.forEach(arrive); readers().forEach(pump); done(); },
  feedback: (batch, done) => { feedback.push(batch); pumpFeedback(); done(); },
  refuse: (fault, done) => { faults.push(fault); done(); },
  token: (fault, done) => { tokenFault = fault.code ? fault : undefined; done(); },
  heal: (_, done) => { faults = []; tokenFault = undefined; done(); },
  detach: (fault, done) => {
    readers().forEach((link) => link.close({ condition: fault.condition, description: fault.description }));
    done();
  },
  cut: (_, done) => { cut(); done(); },
  hang: (ms, done) => { done(); setTimeout(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms), 50); },
  down: (_, done) => { server.close(() => done()); cut(); },
  up: (_, done) => { listen(port, () => done()); },
};

const lines = readline.createInterface({ input: process.stdin });
let done = 0;
lines.on('line', (line) => {
  const said = JSON.parse(line);
  if (!config) {
    config = said;
    partitions = Array.from({ length: config.partitions }, (_, i) => ({ id: String(i), events: [] }));
    listen(0, (at) => { port = at; say({ listening: at }); });
    return;
  }
  const [[name, what]] = Object.entries(said);
  commands[name](what, () => say({ done: ++done }));
});
lines.on('close', () => process.exit(0));
