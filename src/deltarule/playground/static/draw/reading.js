// From the pad, or an image file, to the input of the network: with the normalizer, or without it.

import { PAD_SIZE, readsDrawings } from "../shared/store.js";
import { element, inNextFrame, paintPhoto } from "../shared/widgets.js";
import { grayImage, inkImage, inkStrokes } from "./ink.js";
import { paintDrawing } from "./pad.js";

const SIDE = 28;
const CELL = PAD_SIZE / SIDE;

/** White ink on a black pad, 28x28 in 0..255: each value the mean of the 10x10 pad pixels that it covers. */
function padAsItIs(drawing, canvas) {
    const context = canvas.getContext("2d", { willReadFrequently: true });
    paintDrawing(context, drawing, "black", "white", paintPhoto); // whatever the colors of the page
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
    const { pixels, width, height } = drawing.picture ?? {};
    if (isPlain && pixels && drawing.strokes.length === 0) {
        return grayImage(pixels, width, height);
    }
    if (store.skip || isPlain) {
        const image = padAsItIs(drawing, canvas);
        const stages = [{ name: "the pad, as it is", width: SIDE, height: SIDE, pixels: image }];
        return image.some((ink) => ink > 0) ? { image, stages } : { image: null, stages: [] };
    }
    if (drawing.picture === null) {
        return inkStrokes(drawing.strokes, PAD_SIZE);
    }
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
    store.on(["drawing", "skip", "network"], ask);
}

const LARGEST_IMAGE = 16e6; // pixels
const MOST_SIDE = 512; // of the picture that is kept: the normalizer reads no larger ones

/** Luminance 0..255 of red, green, blue, alpha bytes; transparent pixels show the opposite of the ink. */
function grayOf(bytes) {
    const luminance = (at) => (19595 * bytes[at] + 38470 * bytes[at + 1] + 7471 * bytes[at + 2] + 32768) >> 16;
    let [sum, weight] = [0, 0];
    for (let at = 0; at < bytes.length; at += 4) {
        sum += luminance(at) * bytes[at + 3];
        weight += bytes[at + 3];
    }
    const background = sum < 127.5 * weight ? 255 : 0;
    return Uint8Array.from({ length: bytes.length / 4 }, (_, index) => {
        const alpha = bytes[4 * index + 3] / 255;
        return Math.round(luminance(4 * index) * alpha + background * (1 - alpha));
    });
}

const UNREADABLE = "This page cannot read the file as an image: use a PNG, JPEG, WebP or BMP of at most 16 megapixels.";

/** The picture in an image file, upright, no side longer than 512: { pixels, width, height, gray: true }. */
export async function readImageFile(file) {
    const image = element("img", { src: URL.createObjectURL(file) });
    await new Promise((done) => ["load", "error"].forEach((name) => image.addEventListener(name, done))); // which decodes nothing yet
    URL.revokeObjectURL(image.src);
    const sides = [image.naturalWidth, image.naturalHeight];
    if (sides[0] * sides[1] > LARGEST_IMAGE) {
        throw new Error(`This image has ${sides.join(" × ")} pixels: use one of at most 16 megapixels.`);
    }
    await image.decode().catch(() => {
        throw new Error(UNREADABLE);
    });
    const scale = Math.min(1, MOST_SIDE / Math.max(...sides));
    const [width, height] = sides.map((side) => Math.max(1, Math.round(side * scale)));
    const context = new OffscreenCanvas(width, height).getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, width, height);
    return { pixels: grayOf(context.getImageData(0, 0, width, height).data), width, height, gray: true };
}
