// Objects on the JavaScript heap, and what Node keeps beside it by malloc: buffers, streams,
// compression, JSON, hashes, and worker threads with a heap of their own.
'use strict';
const crypto = require('node:crypto');
const zlib = require('node:zlib');
const { promisify } = require('node:util');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');

const digest = (data) => crypto.createHash('sha256').update(data).digest('hex');

function random(seed) {
    let state = seed;
    return (limit) => {
        state = (Math.imul(state, 1103515245) + 12345) >>> 0;
        return (state >>> 8) % limit;
    };
}

function records(count, seed) {
    const next = random(seed);
    const byName = new Map();
    for (let i = 0; i < count; i++) {
        const name = `name-${next(count >> 3)}`;
        const record = byName.get(name) ?? { name, visits: [], tags: new Set() };
        record.visits.push({ at: i, price: next(10000) / 100 });
        record.tags.add(`tag-${next(50)}`);
        byName.set(name, record);
        if (i % 1009 === 0) byName.delete(name);
    }
    return [...byName.values()]
        .map((r) => ({ name: r.name, total: r.visits.reduce((s, v) => s + v.price, 0).toFixed(2), tags: [...r.tags].sort() }))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function compressed(count, seed) {
    const next = random(seed);
    const results = [];
    for (let round = 0; round < 8; round++) {
        const parts = [];
        for (let i = 0; i < count >> 5; i++) parts.push(Buffer.alloc(1 + next(700), 97 + next(26)));
        const data = Buffer.concat(parts);
        const packed = await Promise.all([promisify(zlib.gzip)(data), promisify(zlib.brotliCompress)(data.subarray(0, 1 << 16))]);
        const back = await promisify(zlib.gunzip)(packed[0]);
        if (!back.equals(data)) throw new Error('gunzip gave other bytes');
        results.push(digest(data), packed[1].length);
    }
    return results.join(' ');
}

async function work(count, seed) {
    const json = JSON.stringify(records(count, seed));
    return [digest(json), JSON.parse(json).length, digest(await compressed(count, seed))];
}

const inThread = (count, seed) => new Promise((resolve, reject) => {
    new Worker(__filename, { workerData: { count, seed } }).on('message', resolve).on('error', reject);
});

async function main() {
    if (!isMainThread) {
        parentPort.postMessage(await work(workerData.count, workerData.seed));
        return;
    }
    const count = Number(process.argv[2]);
    const results = await Promise.all([work(count, 1), inThread(count >> 1, 2), inThread(count >> 1, 3), inThread(count >> 2, 4)]);
    for (const line of results) console.log(line.join(' '));
}

main();
