// Says whether Sigstore's reader takes an envelope for signed by a key: verify.js
// ENVELOPE KEY. Prints the image's SHA-256 of what was signed.
const fs = require('fs')
const { crypto, dsse } = require(process.env.NODE_MODULES + '/@sigstore/core')

const envelope = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'))
const key = crypto.createPublicKey(fs.readFileSync(process.argv[3], 'utf8'))
const payload = Buffer.from(envelope.payload, 'base64')
const message = dsse.preAuthEncoding(envelope.payloadType, payload)
const algorithm = key.asymmetricKeyType === 'ed25519' ? undefined : 'sha256'
if (!envelope.signatures.some((s) => crypto.verify(message, key, Buffer.from(s.sig, 'base64'), algorithm))) {
  console.error('not signed by this key')
  process.exit(1)
}
const statement = JSON.parse(payload)
console.log(statement._type, statement.predicateType, statement.predicate.result, statement.subject[0].digest.sha256)
