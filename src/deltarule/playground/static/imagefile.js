// An image file as gray pixels: decoded by the browser, and where there is a server, read by it, too.

import { sizeOf } from "./imagesize.js";

const LARGEST_FILE = 32 * 2 ** 20; // bytes
const LARGEST_IMAGE = 16e6; // pixels
const SIDE = 512; // of what is kept: the normalizer reads no larger ones
const UPLOAD = 64 * 1024; // bytes: what the server takes

/** Luminance 0..255 of red, green, blue, alpha bytes; what is transparent lets the opposite of the ink shine through. */
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

const UNREADABLE = "This file is no image that can be read here: take a PNG, JPEG, WebP or BMP.";

/** Throws what is wrong with a file before anything of it is decoded. */
async function checkSize(file) {
    const size = sizeOf(new Uint8Array(await file.arrayBuffer()));
    if (size === null) {
        throw new Error(UNREADABLE);
    }
    if (size[0] * size[1] > LARGEST_IMAGE) {
        throw new Error(`This image has ${size[0]} × ${size[1]} pixels: take one of at most 16 megapixels.`);
    }
}

/** The file decoded by the browser, upright, no side longer than 512: { pixels, width, height, gray: true }. */
async function decoded(file) {
    const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => {
        throw new Error(UNREADABLE);
    });
    const scale = Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height));
    const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
    const context = new OffscreenCanvas(width, height).getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(bitmap, 0, 0, width, height);
    bitmap.close();
    return { pixels: grayOf(context.getImageData(0, 0, width, height).data), width, height, gray: true };
}

/**
 * What an image file shows: { picture, reading }. `reading` is what the server's normalizer made of the file itself,
 * { image, stages }, or null where there is no server or the file is too large for it.
 */
export async function readImageFile(file, server) {
    if (file.size > LARGEST_FILE) {
        throw new Error("This file is larger than 32 MB: take a smaller one.");
    }
    await checkSize(file);
    const picture = await decoded(file);
    const reading = server && file.size <= UPLOAD ? await server.image(file) : null;
    return { picture, reading };
}
