// From what is on the pad to what the network reads: past the normalizer, or through it.

import { grayImage, inkImage, inkStrokes } from "./ink.js";
import { PEN, placePicture, strokeAll } from "./pad.js";
import { PAD_SIZE, readsDrawings } from "./store.js";
import { element, inNextFrame, paintPhoto } from "./widgets.js";

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
    for (let y = 0; y < PAD_SIZE; y += 1) {
        for (let x = 0; x < PAD_SIZE; x += 1) {
            sums[Math.floor(y / CELL) * SIDE + Math.floor(x / CELL)] += data[4 * (y * PAD_SIZE + x)];
        }
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
    if (drawing.reading) {
        return drawing.reading;
    }
    const { pixels, width, height } = drawing.picture;
    const normal = inkImage(pixels, width, height);
    const untouched = drawing.source === "example" && drawing.dx === 0 && drawing.dy === 0;
    return untouched ? { ...normal, image: pixels } : normal;
}

/** Keeps `store.x` and `store.stages` what the drawing says, one reading a frame. */
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
