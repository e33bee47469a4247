// One example's way through a network and back as a list of steps, each with what it reads and what it makes.
// Touches no page. A quantity is named as the library names it: layers counted from 0, w^l_j,k to neuron j from neuron k.

import { backward, depth, forward, lossGradient, shortcutApplies, slope, update } from "./engine/network.js";

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
    g: ["∂C/∂a", "how C answers to the outputs", ({ g }) => g],
    d: ["δ", "the errors, ∂C/∂z", ({ gradient }, l) => gradient.delta[l]],
    gb: ["∂C/∂b", "the gradient by the biases", ({ gradient }, l) => gradient.biases[l - 1]],
    gW: ["∂C/∂W", "the gradient by the weights", ({ gradient }, l) => gradient.weights[l - 1]],
    gx: ["∂C/∂x", "how C answers to the input", ({ gradient }) => gradient.input],
    nb: ["new b", "the biases after one step", (walk, l) => walk.updated().biases[l - 1]],
    nW: ["new W", "the weights after one step", (walk, l) => walk.updated().weights[l - 1]],
};
const BARE = ["x", "t", "C", "gx"];

/**
 * All that one example makes of a network.
 * @param {import("./model_file.js").Network} network
 * @param {Float64Array} x (inputs)
 * @param {number | ArrayLike<number>} y
 * @param {number} rate of the update
 */
export function walkOf(network, x, y, rate) {
    const { t, loss, gradient, ...trace } = backward(network, x, y);
    const walk = { network, x, y, rate, trace, gradient, t, loss, last: depth(network), shortcut: shortcutApplies(network) };
    walk.g = lossGradient(network, trace.a[walk.last], y);
    let updated = null;
    walk.updated = () => {
        updated = updated ?? update(network, gradient, rate);
        return updated;
    };
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
export function inputId(l) {
    return l === 1 ? "x0" : `a${l - 1}`;
}

/** Whether a quantity has a number for each weight. */
export function isMatrix(kind) {
    return ["W", "gW", "nW"].includes(kind);
}

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
    const step = (group, equation, l, title, reads, makes) => ({ group, equation, l, title, reads, makes });
    const name = (l) => `layer ${l - 1}`;
    const first = walk.shortcut ? `BP1-${network.output}` : "BP1";
    const back = [...layers].reverse().flatMap((l) => [
        ...(l < last ? [step("BP2", "BP2", l, `The errors of ${name(l)}`, [`d${l + 1}`, `W${l + 1}`, `z${l}`], [`d${l}`])] : []),
        step("BP3", "BP3", l, `The gradient by the biases of ${name(l)}`, [`d${l}`], [`gb${l}`]),
        step("BP4", "BP4", l, `The gradient by the weights of ${name(l)}`, [inputId(l), `d${l}`], [`gW${l}`]),
    ]);
    return [
        ...layers.map((l) =>
            step("forward", "forward", l, `Forward through ${name(l)}`, [inputId(l), `W${l}`, `b${l}`], [`a${l}`, `z${l}`]),
        ),
        step("C", "C", last, "How wrong it is", [`a${last}`, `t${last}`], ["C0"]),
        step("BP1", first, last, "The errors of the outputs", [`a${last}`, ...(walk.shortcut ? [`t${last}`] : [`g${last}`, `z${last}`])], [`d${last}`]),
        ...back,
        step("dC/dx", "BP2", 0, "The input: BP2 once more, where σ′ is 1", ["d1", "W1"], ["gx0"]),
        ...layers.map((l) =>
            step("update", "update", l, `The update of ${name(l)}`, [`W${l}`, `gW${l}`, `b${l}`, `gb${l}`], [`nb${l}`, `nW${l}`]),
        ),
    ];
}
