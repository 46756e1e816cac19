// Publishes one early-warning signal with @platformatic/kafka and avsc.
//
//   node signal.mjs BOOTSTRAP TOPIC SCHEMAS SIGNAL_ID
//
// SCHEMAS is the folder with the published schemas (`schemas/` of this repository). Where SCHEMA_REGISTRY_URL is set, the
// schema id comes from that registry.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ProduceAcks, Producer } from '@platformatic/kafka'
import avro from 'avsc'

async function json (path) {
  return JSON.parse(await readFile(path, 'utf8'))
}

// The id under which readers find the schema: the registry's where there is one, otherwise the fixed one.
async function schemaId (topic, schemas) {
  const registry = process.env.SCHEMA_REGISTRY_URL
  if (!registry) {
    return (await json(join(schemas, 'ids.json')))['EarlySignal.v1']
  }
  const answer = await fetch(`${registry}/subjects/${topic}-value/versions/latest`)
  if (!answer.ok) {
    throw new Error(`the schema registry answers ${answer.status}`)
  }
  return (await answer.json()).id
}

// Byte 0, the id in four bytes, the Avro body.
function wire (id, type, record) {
  const header = Buffer.alloc(5)
  header.writeUInt32BE(id, 1)
  return Buffer.concat([header, type.toBuffer(record)])
}

// A decimal(12,2) is its number of cents, as a big-endian integer in two's complement.
function decimal (cents) {
  const bytes = Buffer.alloc(6)
  bytes.writeIntBE(cents, 0, 6)
  return bytes
}

const [bootstrap, topic, schemas, signalId] = process.argv.slice(2)
const type = avro.Type.forSchema(await json(join(schemas, 'EarlySignal.v1.avsc')))
const now = new Date()
const record = {
  signal_id: signalId,
  municipality: '0344',
  partner: { partner_id: 'water-west', kind: 'WATER' },
  subject: { bsn: '999990019' },
  arrears: decimal(18240),
  received_at: now.getTime(),
  crisis: false,
  warm_transfer: false,
  collection_effort_attested: true
}
const headers = {
  ce_id: `water-west/${signalId}`,
  ce_source: 'urn:example:water-west',
  ce_specversion: '1.0',
  ce_type: 'nl.vroegsignalering.signaal-ontvangen',
  ce_time: now.toISOString(),
  'content-type': 'application/avro'
}

// Its partitioner is Kafka's own (murmur2).
const producer = new Producer({ clientId: 'water-west', bootstrapBrokers: bootstrap.split(',') })
await producer.send({
  acks: ProduceAcks.ALL,
  messages: [
    {
      topic,
      key: Buffer.from(`water-west/${signalId}`),
      value: wire(await schemaId(topic, schemas), type, record),
      headers: new Map(Object.entries(headers).map(([name, value]) => [Buffer.from(name), Buffer.from(value)]))
    }
  ]
})
await producer.close()
console.log(`published ${signalId} on ${topic}`)
