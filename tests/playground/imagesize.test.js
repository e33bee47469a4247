// imagesize.js: the size that a file's head tells, beside files whose heads are written out byte by byte.

import assert from "node:assert/strict";
import { test } from "node:test";

import { sizeOf } from "../../src/deltarule/playground/static/draw/reading.js";

const bytes = (...parts) => Uint8Array.from(parts.flatMap((part) =>
    (typeof part === "string" ? [...part].map((letter) => letter.charCodeAt(0)) : part)));
const zeros = (count) => new Array(count).fill(0);

// 300 is 01 2c, 1000 is 03 e8; a size in a WebP is stored less 1: 299 is 01 2b, 999 is 03 e7
const FILES = {
    PNG: bytes([0x89], "PNG\r\n", [0x1a], "\n", [0, 0, 0, 13], "IHDR", [0, 0, 1, 0x2c, 0, 0, 3, 0xe8], zeros(9)),
    BMP: bytes("BM", zeros(12), [40, 0, 0, 0], [0x2c, 1, 0, 0], [0xe8, 3, 0, 0], zeros(20)),
    "BMP, top down": bytes("BM", zeros(12), [40, 0, 0, 0], [0x2c, 1, 0, 0], [0x18, 0xfc, 0xff, 0xff], zeros(20)),
    "BMP of OS/2": bytes("BM", zeros(12), [12, 0, 0, 0], [0x2c, 1], [0xe8, 3], zeros(20)),
    "WebP, lossy": bytes("RIFF", zeros(4), "WEBPVP8 ", zeros(4), [0x10, 0, 0, 0x9d, 1, 0x2a], [0x2c, 1], [0xe8, 3], zeros(9)),
    "WebP, lossless": bytes("RIFF", zeros(4), "WEBPVP8L", zeros(4), [0x2f], [0x2b, 0xc1, 0xf9, 0], zeros(9)),
    "WebP, extended": bytes("RIFF", zeros(4), "WEBPVP8X", zeros(4), zeros(4), [0x2b, 1, 0], [0xe7, 3, 0], zeros(9)),
    // a segment of 6 bytes, a fill byte, a Huffman table (c4 begins no frame), then a progressive frame, height first
    JPEG: bytes([0xff, 0xd8, 0xff, 0xe1, 0, 6], zeros(4), [0xff, 0xff, 0xc4, 0, 3, 0], [0xff, 0xc2, 0, 17, 8, 3, 0xe8, 1, 0x2c], zeros(9)),
};

for (const [name, file] of Object.entries(FILES)) {
    test(`a head says 300 x 1000: ${name}`, () => assert.deepEqual(sizeOf(file), [300, 1000]));

    test(`a head that is cut off says nothing, or what it says in full: ${name}`, () => {
        for (let end = 0; end < file.length; end += 1) {
            const found = sizeOf(file.slice(0, end));
            assert.ok(found === null || (found[0] === 300 && found[1] === 1000));
        }
    });
}

test("what is no picture has no size", () => {
    for (const file of [bytes("GIF89a", zeros(40)), bytes("<svg xmlns='http://www.w3.org/2000/svg'/>"), bytes([0xff, 0xd8], zeros(40))]) {
        assert.equal(sizeOf(file), null);
    }
});

test("a bomb says how large it is", () => {
    const bomb = FILES.PNG.slice();
    bomb.set([0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff], 16);
    assert.deepEqual(sizeOf(bomb), [65535, 65535]);
});
