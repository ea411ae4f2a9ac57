// Reads events with Microsoft's client (npm @azure/event-hubs), unmodified, from
// the first on, and says each as one line on standard output.
//
// usage: CONNECTION_STRING=… node read.js ENDPOINT GROUP COUNT
'use strict';
const path = require('path');
const { createRequire } = require('module');

// The packages are not beside this file: SDK_MODULES says where they are.
const need = createRequire(path.join(process.env.SDK_MODULES, 'index.js'));
const { EventHubConsumerClient, earliestEventPosition } = need('@azure/event-hubs');

const [endpoint, group, count] = process.argv.slice(2);

async function main() {
  const client = new EventHubConsumerClient(group, process.env.CONNECTION_STRING, { customEndpointAddress: `sb://${endpoint}/` });
  console.log(JSON.stringify({ partitions: await client.getPartitionIds() }));
  let left = Number(count);
  await new Promise((done, failed) => {
    client.subscribe({
      processEvents: async (events) => {
        for (const e of events) {
          console.log(JSON.stringify({
            device: e.systemProperties['iothub-connection-device-id'],
            auth: e.systemProperties['iothub-connection-auth-method'],
            generation: e.systemProperties['iothub-connection-auth-generation-id'],
            body: Buffer.isBuffer(e.body) ? e.body.toString() : JSON.stringify(e.body),
            properties: e.properties,
            enqueued: e.enqueuedTimeUtc,
          }));
          if (--left === 0) done();
        }
      },
      processError: async (err) => failed(err),
    }, { startPosition: earliestEventPosition, maxWaitTimeInSeconds: 1 });
  });
  process.exit(0);
}

main().catch((err) => {
  console.error(err);
  process.exit(1);
});
