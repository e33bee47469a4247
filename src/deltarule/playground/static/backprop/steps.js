// One example's pass through a network and back as a list of steps: what each reads, makes and shows.
// Touches no page. A quantity is named as the library names it: layers counted from 0, w^l_j,k to neuron j from neuron k.

import { backward, forward, lossGradient, shortcutApplies, slope, update } from "../engine/network.js";
import { inputNames } from "../shared/model_file.js";
import { largestOf, shown } from "../shared/widgets.js";

/**
 * @typedef {object} Quantity
 * @property {string} id kind and layer, "W1": layers counted from 1, as engine/network.js does
 * @property {string} kind x, t, C, W, b, z, a, g (dC/da of the outputs), d (delta), gb, gW, gx, nb, nW (after the update)
 * @property {number} l the layer, counted from 1: the last for t and dC/da; 0 for x, dC/dx and C
 * @property {string} text its name, "δ^0"
 * @property {string} means what it is
 * @property {Float64Array} values W-like: (fan_in * fan_out), w from k to j at k * fan_out + j
 */

/** A letter, what it stands for, and its values in a walk, for layer l. */
const KINDS = {
    x: ["x", "the input", ({ trace }) => trace.a[0]],
    t: ["t", "the target", ({ t }) => t],
    C: ["C", "the loss", ({ loss }) => Float64Array.of(loss)],
    W: ["W", "the weights", ({ network }, l) => network.weights[l - 1]],
    b: ["b", "the biases", ({ network }, l) => network.biases[l - 1]],
    z: ["z", "the weighted sums", ({ trace }, l) => trace.z[l]],
    a: ["a", "the activations", ({ trace }, l) => trace.a[l]],
    g: ["∂C/∂a", "the derivative of C by the outputs", ({ g }) => g],
    d: ["δ", "the errors, ∂C/∂z", ({ gradient }, l) => gradient.delta[l]],
    gb: ["∂C/∂b", "the gradient by the biases", ({ gradient }, l) => gradient.biases[l - 1]],
    gW: ["∂C/∂W", "the gradient by the weights", ({ gradient }, l) => gradient.weights[l - 1]],
    gx: ["∂C/∂x", "the derivative of C by the input", ({ gradient }) => gradient.input],
    nb: ["new b", "the biases after one step", (walk, l) => walk.updated().biases[l - 1]],
    nW: ["new W", "the weights after one step", (walk, l) => walk.updated().weights[l - 1]],
};
const BARE = ["x", "t", "C", "gx"];

/**
 * All that one example makes of a network.
 * @param {Float64Array} x (inputs)
 * @param {number} rate of the update
 */
export function walkOf(network, x, y, rate) {
    const { t, loss, gradient, ...trace } = backward(network, x, y);
    const walk = { network, x, y, rate, trace, gradient, t, loss, last: network.weights.length, shortcut: shortcutApplies(network) };
    walk.g = lossGradient(network, trace.a[walk.last], y);
    let updated = null;
    walk.updated = () => (updated ??= update(network, gradient, rate));
    walk.lossAfter = () => forward(walk.updated(), x, y).loss;
    return walk;
}

/** @returns {Quantity} the quantity that an id names: "gW1" */
export function quantityOf(walk, id) {
    const [, kind, digits] = /^([a-zA-Z]+)(\d+)$/.exec(id);
    const l = Number(digits);
    const [letter, means, valuesOf] = KINDS[kind];
    return { id, kind, l, text: BARE.includes(kind) ? letter : `${letter}^${l - 1}`, means, values: valuesOf(walk, l) };
}

/** The id of what layer l reads. */
export const inputId = (l) => (l === 1 ? "x0" : `a${l - 1}`);

/** Whether a quantity has a number for each weight. */
export const isMatrix = (kind) => ["W", "gW", "nW"].includes(kind);

/** The name of one number of a quantity: "w^0_5,12", "δ^1_3". */
export function cellText(walk, { kind, l, text, values }, index) {
    if (isMatrix(kind)) {
        const count = walk.network.sizes[l];
        return `${text.replace("W", "w")}_${index % count},${Math.floor(index / count)}`;
    }
    return values.length === 1 && BARE.includes(kind) ? text : `${text}_${index}`;
}

/** sigma'(z^l_j), for an elementwise activation. */
export function slopeAt(walk, l, j) {
    return slope(walk.network.parts[l - 1], walk.trace.z[l][j], walk.trace.a[l][j]);
}

/**
 * @typedef {object} Step
 * @property {string} group the short name on the button: "BP4"
 * @property {string} equation its id in equations.js
 * @property {number} l the layer, counted from 1
 * @property {string} title
 * @property {string[]} reads ids of quantities
 * @property {string[]} makes ids of quantities, the main one last
 */

/** @returns {Step[]} forward, the loss, backwards through every layer, the input, the update */
export function stepsOf(walk) {
    const { last, network } = walk;
    const layers = network.parts.map((_, at) => at + 1);
    const step = (group, l, title, reads, makes, equation = group) => ({ group, equation, l, title, reads, makes });
    const name = (l) => `layer ${l - 1}`;
    const [first, others] = walk.shortcut ? [`BP1-${network.output}`, [`t${last}`]] : ["BP1", [`g${last}`, `z${last}`]];
    const back = [...layers].reverse().flatMap((l) => [
        ...(l === last ? [] :
            [step("BP2", l, `The errors of ${name(l)}`, [`d${l + 1}`, `W${l + 1}`, `z${l}`], [`d${l}`])]),
        step("BP3", l, `The gradient by the biases of ${name(l)}`, [`d${l}`], [`gb${l}`]),
        step("BP4", l, `The gradient by the weights of ${name(l)}`, [inputId(l), `d${l}`], [`gW${l}`]),
    ]);
    return [
        ...layers.map((l) =>
            step("forward", l, `Forward through ${name(l)}`, [inputId(l), `W${l}`, `b${l}`], [`a${l}`, `z${l}`])),
        step("C", last, "How wrong the network is", [`a${last}`, `t${last}`], ["C0"]),
        step("BP1", last, "The errors of the outputs", [`a${last}`, ...others], [`d${last}`], first),
        ...back,
        step("dC/dx", 0, "The input: BP2 once more, where σ′ is 1", ["d1", "W1"], ["gx0"], "BP2"),
        ...layers.map((l) => step("update", l, `The update of ${name(l)}`,
            [`W${l}`, `gW${l}`, `b${l}`, `gb${l}`], [`nb${l}`, `nW${l}`])),
    ];
}

/**
 * What a step shows on the stage: the activations as far as it has come, or the errors that are known.
 * @returns {{values: (Float64Array | null)[], back: boolean, first: number, last: number}} first, last: the layers between
 *     which something moves, equal if nothing does
 */
export function flowOf(walk, { group, l }) {
    const { trace, gradient, last } = walk;
    const back = !["forward", "C"].includes(group);
    const errors = [gradient.input, ...gradient.delta.slice(1)];
    const known = group === "update" ? 0 : l;
    const values = back ? errors.map((each, at) => (at >= known ? each : null)) : trace.a.map((each, at) => (at <= l ? each : null));
    const [from, to] = { forward: [l - 1, l], BP2: [l, l + 1], "dC/dx": [0, 1] }[group] ?? [last, last];
    return { values, back, first: from, last: to };
}

const WHOLE = 64; // numbers of a matrix that is shown whole; of a larger one, the weights of the neuron that is picked
const AS_NUMBERS = 36; // numbers that are written out; more become colored cells

/**
 * @typedef {object} Shown a part of a quantity
 * @property {string} id
 * @property {number[]} indices of its numbers, in the order in which they are shown
 * @property {number} columns
 * @property {boolean} numbers whether they are written out
 * @property {string} sign before it: "×", "→" or nothing
 * @property {boolean} made whether the step makes it
 */

/**
 * The neuron of each layer, and the input, to pick first: of the outputs the right one (or the first), of
 * every other layer the one whose term in the sum behind it is largest.
 * @returns {number[]} at[l], an index in a[l]
 */
export function firstLook(walk) {
    const { network, trace, gradient, t, last } = walk;
    const strongest = (values) => largestOf(values, 1)[0] ?? 0;
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
    return isMatrix(kind) ? at[l - 1] * walk.network.sizes[l] + at[l] : kind === "C" ? 0 : at[l];
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

/** The numbers from 0 to count - 1. */
export const range = (count) => Array.from({ length: count }, (_, n) => n);

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

/** @returns {Shown[]} the parts that a step shows: operands first, its result last */
export function viewOf(walk, step, at) {
    const from = step.group === "BP2" || step.group === "dC/dx";
    const signs = ["", ...SIGNS[step.group] ?? []];
    const read = step.reads.map((id, n) => ({ ...shownOf(walk, id, at, from), sign: signs[n] ?? "", made: false }));
    const sign = (n) => (n === 0 || step.group === "forward" ? "→" : "");
    const made = [...step.makes].reverse().map((id, n) => ({ ...shownOf(walk, id, at), sign: sign(n), made: true }));
    return [...read, ...made];
}

const SIGNS = {
    forward: ["×", "+"], C: ["and"], BP1: ["−", "and"], BP2: ["×", "× σ′ at"], BP4: ["×"], "dC/dx": ["×"],
    update: ["− r ×", "and", "− r ×"],
};

/** Whether a quantity is a picture: pixels from 0 to 1. */
export function isInk(walk, { kind }) {
    return kind === "x" && walk.network.imageShape !== null && walk.network.scaling === null;
}

/** What one number is about, in words: "pixel in row 3, column 12", "answer seven". */
export function placeOf(walk, { kind, l }, index) {
    const { network, last } = walk;
    const input = (k) => (network.imageShape === null ? inputNames(network)[k] ?? `input ${k}` :
        `pixel in row ${Math.floor(k / network.imageShape[1])}, column ${k % network.imageShape[1]}`);
    const hidden = (layer, j) => (layer === last ? `output ${network.classNames[j]}` : `neuron ${j} of layer ${layer - 1}`);
    const neuron = (layer, j) => (layer === 0 ? input(j) : hidden(layer, j));
    if (isMatrix(kind)) {
        const count = network.sizes[l];
        return `from ${neuron(l - 1, Math.floor(index / count))} to ${neuron(l, index % count)}`;
    }
    return kind === "C" ? "the loss of this example" : neuron(l, index);
}

/** A short label of one number: its class if that is short, else the index of its neuron; nothing if it is the only one. */
export function labelOf(walk, { kind, l, values }, index) {
    const place = isMatrix(kind) ? index % walk.network.sizes[l] : index;
    const name = l === walk.last ? walk.network.classNames[place] : "";
    return values.length === 1 ? "" : name !== "" && name.length <= 4 ? name : String(place);
}

/** A step's main number in one sentence, for screen readers. */
export function sentenceOf(walk, step, id, index) {
    const made = quantityOf(walk, id);
    return `${step.title}. ${cellText(walk, made, index)}, ${placeOf(walk, made, index)}, is ${shown(made.values[index], 4)}.`;
}
