// The frame of the suite: see ../checks.py, whose output this prints.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";

export const MIB = 1024 * 1024;

// The same keys as in ../checks.py.
export const ODD_KEYS = [
  "plain", "with space", " leading and trailing ", "two  spaces", "plus+plus", "per%cent", "per%20cent",
  "per%2Fcent", "double//slash", "/leading-slash", "folder/", "folder/inside", "folder/inside/deep",
  "ключ/日本語/é", "e\u0301 decomposed", "emoji-😀", "quotes'\"`", "amp&<tag>;", "question?a=b#fragment",
  "list,of:things;@$=!*()~", "back\\slash", "brackets[]{}|^",
];

/** Bytes that look random, the same for the same seed. */
export function randomBytes(size, seed = 1) {
  const data = Buffer.alloc(size);
  let state = (size ^ (seed * 0x9e3779b9)) >>> 0 || 1;
  for (let at = 0; at < size; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    data[at] = state;
  }
  return data;
}

export const quotedMd5 = (data) => `"${createHash("md5").update(data).digest("hex")}"`;

/** The order of UTF-8 bytes, which is S3's; JavaScript's own is that of UTF-16. */
export const byBytes = (left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right));

export function same(got, expected, what) {
  if (Buffer.isBuffer(expected)) {
    assert.ok(Buffer.compare(Buffer.from(got), expected) === 0, `${what}: bytes differ`);
  } else {
    assert.deepEqual(got, expected, `${what}: expected ${show(expected)}, got ${show(got)}`);
  }
}

const show = (value) => JSON.stringify(value)?.slice(0, 800);

/** The promise must be refused with this error name and HTTP status. */
export async function refused(name, status, promise) {
  try {
    await promise;
  } catch (error) {
    same([error.name, error.$metadata?.httpStatusCode], [name, status], "refusal");
    return;
  }
  assert.fail(`must be refused with ${status} ${name}, but succeeded`);
}

/** Runs `checks`, a list of [title, function], and exits. */
export async function main(suite, checks) {
  let failed = false;
  for (const [title, run] of checks) {
    const started = performance.now();
    let word = "ok";
    let detail = "";
    try {
      await run();
    } catch (error) {
      word = "FAILED";
      detail = error.stack;
      failed = true;
    }
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${word.padEnd(8)}${suite}: ${title} (${seconds} s)`);
    for (const line of detail.split("\n").slice(0, 12).filter(Boolean)) console.log(`        | ${line}`);
  }
  process.exit(failed ? 1 : 0);
}
