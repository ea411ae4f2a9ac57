// Aedes (npm aedes) behind TLS, with server.crt and server.key of this folder.
//
// usage: node server.js PORT
'use strict';
const fs = require('fs');
const path = require('path');
const tls = require('tls');
const { createRequire } = require('module');
const { pathToFileURL } = require('url');

// The packages are not beside this file: NODE_MODULES says where they are.
const aedes = createRequire(path.join(process.env.NODE_MODULES, 'index.js')).resolve('aedes');
const user = process.env.BROKER_USER;
const password = process.env.BROKER_PASSWORD;

import(pathToFileURL(aedes)).then(async ({ Aedes }) => {
  const broker = await Aedes.createBroker({
    authenticate: (client, name, secret, done) => done(null, !user || (name === user && String(secret) === password)),
  });
  for (const event of ['clientError', 'connectionError']) {
    broker.on(event, (client, err) => console.error(client && client.id, err.message));
  }
  const options = { cert: fs.readFileSync('server.crt'), key: fs.readFileSync('server.key') };
  tls.createServer(options, broker.handle).listen(Number(process.argv[2]), '127.0.0.1');
});
