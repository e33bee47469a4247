// What the Backprop tab shows of a step: which numbers, in which order, in how many columns. Touches no page.

import { inputNames } from "./model_file.js";
import { cellText, isMatrix, quantityOf } from "./backprop_steps.js";

const WHOLE = 64; // numbers of a matrix that is shown whole; of a larger one, the weights of the neuron that is picked
const AS_NUMBERS = 36; // numbers that are written out; more become colored cells

/**
 * @typedef {object} Shown a part of a quantity
 * @property {string} id
 * @property {number[]} indices of its numbers, in the order in which they are shown
 * @property {number} columns
 * @property {boolean} numbers whether they are written out
 * @property {string} sign what stands before it: "×", "→" or nothing
 * @property {boolean} made whether the step makes it
 */

/**
 * Which neuron of each layer, and which input, somebody looks at first: of the outputs the right one (or the first), of
 * every other layer the one whose term in the sum behind it is largest.
 * @param {object} walk
 * @returns {number[]} at[l], an index in a[l]
 */
export function firstLook(walk) {
    const { network, trace, gradient, t, last } = walk;
    const strongest = (values) => values.reduce((best, each, at) => (Math.abs(each) > Math.abs(values[best]) ? at : best), 0);
    const at = new Array(last + 1).fill(0);
    at[last] = strongest(t);
    for (let l = last - 1; l >= 0; l -= 1) {
        const behind = network.sizes[l + 1];
        const errors = l > 0 ? gradient.delta[l] : null;
        at[l] = strongest(trace.a[l].map((a, k) => a * network.weights[l][k * behind + at[l + 1]] * (errors?.[k] === 0 ? 0.1 : 1)));
    }
    return at;
}

/** Where the picked neurons point in a quantity: an index. */
export function pickedIndex(walk, { kind, l }, at) {
    if (isMatrix(kind)) {
        return at[l - 1] * walk.network.sizes[l] + at[l];
    }
    return kind === "C" ? 0 : at[l];
}

/** The picked neurons once somebody picks a number: a new array. */
export function pickedBy(walk, { kind, l }, index, at) {
    const picked = [...at];
    if (isMatrix(kind)) {
        const count = walk.network.sizes[l];
        picked[l - 1] = Math.floor(index / count);
        picked[l] = index % count;
    } else if (kind !== "C") {
        picked[l] = index;
    }
    return picked;
}

const range = (count) => Array.from({ length: count }, (_, n) => n);

/** The numbers of a quantity that are shown: all, or of a large matrix those to the picked neuron (or from it). */
export function shownOf(walk, id, at, from = false) {
    const { kind, l, values } = quantityOf(walk, id);
    const { sizes, imageShape } = walk.network;
    if (!isMatrix(kind)) {
        const isImage = l === 0 && values.length === sizes[0] && imageShape !== null && kind !== "C";
        return laidOut(id, range(values.length), isImage ? imageShape[1] : 0);
    }
    const [fanIn, fanOut] = [sizes[l - 1], sizes[l]];
    if (values.length <= WHOLE) {
        return { id, indices: range(values.length), columns: fanOut, numbers: true };
    }
    if (from) {
        return laidOut(id, range(fanOut).map((j) => at[l - 1] * fanOut + j), 0);
    }
    return laidOut(id, range(fanIn).map((k) => k * fanOut + at[l]), l === 1 && imageShape !== null ? imageShape[1] : 0);
}

function laidOut(id, indices, imageWidth) {
    const numbers = imageWidth === 0 && indices.length <= AS_NUMBERS;
    const columns = numbers ? Math.min(indices.length, 5) : Math.ceil(Math.sqrt(2 * indices.length));
    return { id, indices, columns: imageWidth || columns, numbers };
}

/** @returns {Shown[]} what a step shows, operands first, what it makes last */
export function viewOf(walk, step, at) {
    const from = step.group === "BP2" || step.group === "dC/dx";
    const signs = SIGNS[step.group] ?? [];
    const read = step.reads.map((id, n) => ({ ...shownOf(walk, id, at, from), sign: n === 0 ? "" : (signs[n - 1] ?? ""), made: false }));
    const made = [...step.makes].reverse().map((id, n) => ({ ...shownOf(walk, id, at), sign: n === 0 ? "→" : (signs.made ?? ""), made: true }));
    return [...read, ...made];
}

const SIGNS = {
    forward: Object.assign(["×", "+"], { made: "→" }),
    C: ["and"],
    BP1: ["−", "and"],
    BP2: ["×", "× σ′ at"],
    BP4: ["×"],
    "dC/dx": ["×"],
    update: ["− r ×", "and", "− r ×"],
};

/** Whether a quantity is a picture: pixels from 0 to 1. */
export function isInk(walk, { kind }) {
    return kind === "x" && walk.network.imageShape !== null && walk.network.scaling === null;
}

/** What one number is about, in words: "pixel in row 3, column 12", "answer seven". */
export function placeOf(walk, { kind, l }, index) {
    const { network, last } = walk;
    const input = (k) => {
        if (network.imageShape !== null) {
            return `pixel in row ${Math.floor(k / network.imageShape[1])}, column ${k % network.imageShape[1]}`;
        }
        return inputNames(network)[k] ?? `input ${k}`;
    };
    const neuron = (layer, j) => {
        if (layer === 0) {
            return input(j);
        }
        return layer === last ? `output ${network.classNames[j]}` : `neuron ${j} of layer ${layer - 1}`;
    };
    if (isMatrix(kind)) {
        const count = network.sizes[l];
        return `from ${neuron(l - 1, Math.floor(index / count))} to ${neuron(l, index % count)}`;
    }
    if (kind === "C") {
        return "how wrong the network is about this example";
    }
    return neuron(l, index);
}

/** A short label of one number: its class where that is short, else the index of its neuron; nothing where it is alone. */
export function labelOf(walk, { kind, l, values }, index) {
    if (values.length === 1) {
        return "";
    }
    const place = isMatrix(kind) ? index % walk.network.sizes[l] : index;
    const name = l === walk.last ? walk.network.classNames[place] : "";
    return name !== "" && name.length <= 4 ? name : String(place);
}

/** A step's main number in one sentence, for those who hear the page. */
export function sentenceOf(walk, step, id, index, format) {
    const made = quantityOf(walk, id);
    const place = placeOf(walk, made, index);
    return `${step.title}. ${cellText(walk, made, index)}, ${place}, is ${format(made.values[index])}.`;
}

