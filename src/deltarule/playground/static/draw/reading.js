// From the pad, or an image file, to the input of the network: with the normalizer, or without it.

import { PAD_SIZE, readsDrawings } from "../shared/store.js";
import { element, inNextFrame, paintPhoto } from "../shared/widgets.js";
import { grayImage, inkImage, inkStrokes } from "./ink.js";
import { PEN, placePicture, strokeAll } from "./pad.js";

const SIDE = 28;
const CELL = PAD_SIZE / SIDE;

/** White ink on a black pad, 28x28 in 0..255: each value the mean of the 10x10 pad pixels that it covers. */
function padAsItIs(drawing, canvas) {
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.fillStyle = "black";
    context.fillRect(0, 0, PAD_SIZE, PAD_SIZE);
    if (drawing.picture) {
        const { pixels, width, height } = drawing.picture;
        const pictured = element("canvas", { width, height });
        paintPhoto(pictured, pixels); // white ink on black, whatever the colors of the page
        placePicture(context, pictured, drawing);
    }
    context.strokeStyle = "white";
    strokeAll(context, drawing.strokes, PEN);
    const { data } = context.getImageData(0, 0, PAD_SIZE, PAD_SIZE);
    const sums = new Float64Array(SIDE * SIDE);
    for (let at = 0; at < PAD_SIZE * PAD_SIZE; at += 1) {
        sums[Math.floor(at / PAD_SIZE / CELL) * SIDE + Math.floor((at % PAD_SIZE) / CELL)] += data[4 * at];
    }
    return sums.map((sum) => Math.round(sum / (CELL * CELL)));
}

/** What the network reads of a drawing: a Reading of ink.js. */
function read(store, canvas) {
    const { drawing, network } = store;
    const isPlain = network?.reading === "images"; // it learned no images like MNIST's
    if (isPlain && drawing.picture && drawing.strokes.length === 0) {
        return grayImage(drawing.picture.pixels, drawing.picture.width, drawing.picture.height);
    }
    if (store.skip || isPlain) {
        const image = padAsItIs(drawing, canvas);
        const stages = [{ name: "the pad, as it is", width: SIDE, height: SIDE, pixels: image }];
        return image.some((ink) => ink > 0) ? { image, stages } : { image: null, stages: [] };
    }
    if (drawing.picture === null) {
        return inkStrokes(drawing.strokes, PAD_SIZE);
    }
    const { pixels, width, height } = drawing.picture;
    const normal = inkImage(pixels, width, height);
    const untouched = drawing.source === "example" && drawing.dx === 0 && drawing.dy === 0;
    return untouched ? { ...normal, image: pixels } : normal;
}

/** Keeps `store.x` and `store.stages` up to date with the drawing, one reading per frame. */
export function readDrawings(store) {
    const canvas = element("canvas", { width: PAD_SIZE, height: PAD_SIZE });
    const ask = inNextFrame(() => {
        if (!readsDrawings(store.network)) {
            return store.set({ stages: [], showsSeveral: false }); // its inputs come from elsewhere
        }
        const { image, stages, showsSeveral = false } = read(store, canvas);
        return store.set({ x: image ? Float64Array.from(image, (value) => value / 255) : null, stages, showsSeveral });
    });
    store.addEventListener("change", (event) => {
        if (["drawing", "skip", "network"].some((key) => event.keys.has(key))) {
            ask();
        }
    });
}

const LARGEST_FILE = 32 * 2 ** 20; // bytes
const LARGEST_IMAGE = 16e6; // pixels
const MOST_SIDE = 512; // of the picture that is kept: the normalizer reads no larger ones

/** Luminance 0..255 of red, green, blue, alpha bytes; transparent pixels show the opposite of the ink. */
function grayOf(bytes) {
    const gray = new Uint8Array(bytes.length / 4);
    const luminance = (at) => (19595 * bytes[at] + 38470 * bytes[at + 1] + 7471 * bytes[at + 2] + 32768) >> 16;
    let [sum, weight] = [0, 0];
    for (let at = 0; at < bytes.length; at += 4) {
        sum += luminance(at) * bytes[at + 3];
        weight += bytes[at + 3];
    }
    const background = sum < 127.5 * weight ? 255 : 0;
    for (let index = 0; index < gray.length; index += 1) {
        const alpha = bytes[4 * index + 3] / 255;
        gray[index] = Math.round(luminance(4 * index) * alpha + background * (1 - alpha));
    }
    return gray;
}

const UNREADABLE = "This page cannot read the file as an image: use a PNG, JPEG, WebP or BMP.";

/** The file decoded by the browser, upright, no side longer than 512: { pixels, width, height, gray: true }. */
async function decoded(file) {
    const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => {
        throw new Error(UNREADABLE);
    });
    const scale = Math.min(1, MOST_SIDE / Math.max(bitmap.width, bitmap.height));
    const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
    const context = new OffscreenCanvas(width, height).getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(bitmap, 0, 0, width, height);
    bitmap.close();
    return { pixels: grayOf(context.getImageData(0, 0, width, height).data), width, height, gray: true };
}

/** The picture in an image file. */
export async function readImageFile(file) {
    if (file.size > LARGEST_FILE) {
        throw new Error("This file is larger than 32 MB: use a smaller one.");
    }
    const size = sizeOf(new Uint8Array(await file.arrayBuffer()));
    if (size === null) {
        throw new Error(UNREADABLE);
    }
    if (size[0] * size[1] > LARGEST_IMAGE) {
        throw new Error(`This image has ${size[0]} × ${size[1]} pixels: use one of at most 16 megapixels.`);
    }
    return decoded(file);
}

const text = (bytes, from, to) => String.fromCharCode(...bytes.subarray(from, to));

/** The size in a JPEG: in the first segment that begins a frame. Source: ITU-T T.81, B.1.1 and B.2.2. */
function ofJpeg(bytes, view) {
    let at = 2;
    while (at + 9 <= bytes.length && bytes[at] === 0xff) {
        const kind = bytes[at + 1];
        if (kind >= 0xc0 && kind <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(kind)) {
            return [view.getUint16(at + 7), view.getUint16(at + 5)];
        }
        const isAlone = kind === 0xff || kind === 0x01 || (kind >= 0xd0 && kind <= 0xd7); // a marker without a segment
        at += kind === 0xff ? 1 : isAlone ? 2 : 2 + view.getUint16(at + 2);
    }
    return null;
}

/** The size in a WebP. Source: RFC 9649, section 2. */
function ofWebp(view, kind) {
    if (kind === "VP8X") {
        return [24, 27].map((at) => (view.getUint32(at, true) & 0xffffff) + 1);
    }
    if (kind === "VP8L") {
        const bits = view.getUint32(21, true);
        return [(bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1];
    }
    return [26, 28].map((at) => view.getUint16(at, true) & 0x3fff);
}

/**
 * [width, height] of the picture in a PNG, JPEG, WebP or BMP file; null for other files.
 * @param {Uint8Array} bytes of the file
 */
export function sizeOf(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (bytes[0] === 0xff && bytes[1] === 0xd8) {
        return ofJpeg(bytes, view);
    }
    if (bytes.length < 32) {
        return null;
    }
    if (text(bytes, 0, 8) === "\x89PNG\r\n\x1a\n") {
        return [view.getUint32(16), view.getUint32(20)];
    }
    if (text(bytes, 0, 4) === "RIFF" && text(bytes, 8, 12) === "WEBP") {
        return ofWebp(view, text(bytes, 12, 16));
    }
    if (text(bytes, 0, 2) === "BM") {
        const isOld = view.getUint32(14, true) === 12; // the header of OS/2, with sides of 16 bits
        return isOld ? [view.getUint16(18, true), view.getUint16(20, true)]
            : [18, 22].map((at) => Math.abs(view.getInt32(at, true)));
    }
    return null;
}
