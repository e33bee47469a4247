// A network's forward and backward pass, computed by the engine in float64, for one example. Touches no page.
//
// Layers are counted from 1 here, as in the textbooks: z[l], a[l] and delta[l] are layer l's, a[0] is what layer 1
// reads; weights[l - 1] and biases[l - 1] are layer l's, since no parameters belong to a[0].

import { bareFields } from "../shared/model_file.js";
import { about, apply, Call, kernelOf } from "./module.js";

const INPUTS = { Uint8Array: "PIXELS", Float32Array: "FLOATS", Float64Array: "DOUBLES" };
const TARGETS = { BigInt64Array: "CLASSES", Uint8Array: "BYTES", Float32Array: "FLOAT_TARGETS", Float64Array: "DOUBLE_TARGETS" };

/** The output with which BP1 is proven to collapse to a - t. */
const SHORTCUT_FOR = { cross_entropy: "softmax", binary_cross_entropy: "sigmoid", poisson: "exponential" };

/** A network of these parameters, without columns, a scaling or a doubt. */
export function small(sizes, hidden, output, loss, task, weights, biases) {
    return {
        sizes, output, loss, task, hidden: sizes.slice(2).map(() => hidden), lossPart: { name: loss },
        parts: [...sizes.slice(2).map(() => ({ name: hidden })), { name: output }],
        weights: weights.map((each) => Float64Array.from(each)), biases: biases.map((each) => Float64Array.from(each)),
        classNames: Array.from({ length: sizes.at(-1) }, (_, j) => String(j)),
        imageShape: null, fields: bareFields(sizes[0]), doubt: null, scaling: null, targetScaling: null,
    };
}

/** Whether BP1 is proven to be a - t for this network's output and loss. */
export function shortcutApplies(network) {
    return SHORTCUT_FOR[network.lossPart.name] === network.parts[network.weights.length - 1].name;
}

/** Where sigma has no derivative, and so backpropagation picks a side: z = 0 for these. */
export function hasKink(part) {
    return part.name === "relu" || part.name === "leaky_relu" || (part.name === "elu" && part.alpha !== 1);
}

/** Whether an output depends on the z of its own neuron alone. */
export const isElementwise = (part) => part.name !== "softmax";

/** sigma(z) of a layer, new. */
export function activate(part, z) {
    return apply("activate_layer", ...kernelOf("activation", part), Float64Array.from(z), z.length);
}

/** sigma'(z) of one number, given a = sigma(z), for an elementwise activation. */
export function slope(part, z, a) {
    return apply("derive_layer", ...kernelOf("activation", part), ...[z, a, 1].map((each) => Float64Array.of(each)), 1)[0];
}

/** delta^l (W^l)^T: the errors of layer l, sent back to the activations it reads, (fan_in). */
export function sentBack(network, l, delta) {
    const [W, m] = [network.weights[l - 1], network.sizes[l]];
    return Float64Array.from({ length: network.sizes[l - 1] }, (_, k) => delta.reduce((sum, each, j) => sum + W[k * m + j] * each, 0));
}

/** The fields of a call that a network fills, its parameters in arrays of this kind. */
export function networkFields(network, Real) {
    const parts = network.parts.map((part) => kernelOf("activation", part));
    const [loss, smoothing] = kernelOf("loss", network.lossPart);
    const arrays = [...network.weights, ...network.biases];
    const parameters = new Real(arrays.reduce((sum, each) => sum + each.length, 0));
    arrays.reduce((at, each) => parameters.set(each, at) ?? at + each.length, 0);
    return {
        n_layers: network.weights.length, sizes: BigInt64Array.from(network.sizes, BigInt), parameters,
        activations: BigInt64Array.from(parts, ([code]) => BigInt(code)), settings: Float64Array.from(parts, ([, setting]) => setting),
        loss, smoothing, has_shortcut: Number(shortcutApplies(network)),
    };
}

/** The fields that samples fill: inputs and targets row by row, in arrays of any kind that the engine reads. */
export function sampleFields({ sizes }, inputs, targets) {
    const width = targets instanceof BigInt64Array ? 1 : sizes.at(-1);
    return {
        inputs, input_kind: about.codes[INPUTS[inputs.constructor.name]],
        input_row: inputs.BYTES_PER_ELEMENT * sizes[0], input_column: inputs.BYTES_PER_ELEMENT,
        targets, target_kind: about.codes[TARGETS[targets.constructor.name]],
        target_row: targets.BYTES_PER_ELEMENT * width, target_column: targets.BYTES_PER_ELEMENT,
    };
}

/** The fields that steps fill. */
export function stepFields(count) {
    const [losses, weights, penalties, paces, rates] = Array.from({ length: 5 }, () => new Float64Array(count));
    return { losses, weights, penalties, paces, rates, n_right: new BigInt64Array(count) };
}

/** The weights and biases in a vector of all parameters, as of nn/parameters.py, as parts of it. */
export function parametersOf(vector, sizes) {
    let at = 0;
    const next = (count) => vector.subarray(at, (at += count));
    const weights = sizes.slice(1).map((size, l) => next(sizes[l] * size));
    return { weights, biases: sizes.slice(1).map((size) => next(size)) };
}

/**
 * A pass of one example, not yet made.
 * @param {Float64Array} input a^0
 * @param {number | ArrayLike<number>} y class index, or a number for each output (as the network has them: standardized
 *     where the model does that)
 */
export function passOf(network, input, y, more) {
    const layers = () => network.sizes.slice(1).map((size) => new Float64Array(size));
    const targets = typeof y === "number" ? BigInt64Array.of(BigInt(y)) : Float64Array.from(y);
    return new Call("double", {
        ...networkFields(network, Float64Array), ...sampleFields(network, input, targets), ...stepFields(1),
        order: new BigInt64Array(1), n_order: 1, batch_size: 1, n_steps: 1, z: layers(), a: layers(), delta: layers(), ...more,
    });
}

function inputOf({ scaling }, x) {
    return Float64Array.from(x, (each, k) => (scaling ? (each - scaling.mean[k]) / scaling.scale[k] : each));
}

function traceOf({ z, a, losses, inputs }) {
    return { z: [null, ...z], a: [inputs, ...a], loss: losses[0] };
}

/**
 * The result of a forward pass: z is null, z^1 .. z^L; a is a^0 (standardized where the model does that), a^1 .. a^L; loss is
 * C if y is given.
 * @param {Float64Array} x (inputs): pixels in [0, 1], or numbers in their own units
 */
export function forward(network, x, y = 0) {
    const call = passOf(network, inputOf(network, x), y, { is_evaluation: 1 });
    call.run("z", "a", "losses");
    return traceOf(call.fields);
}

/** The activations of every layer for many inputs at once, (samples, inputs): layer l's at l - 1, sample by sample. */
export function activations(network, inputs) {
    const count = inputs.length / network.sizes[0];
    const order = BigInt64Array.from({ length: count }, (_, index) => BigInt(index));
    let below = inputs;
    return network.weights.map((W, l) => {
        const layer = { sizes: network.sizes.slice(l, l + 2), parts: [network.parts[l]], weights: [W], biases: [network.biases[l]], lossPart: { name: "quadratic" } };
        const outputs = new Float64Array(count * layer.sizes[1]);
        const call = new Call("double", {
            ...networkFields(layer, Float64Array), ...sampleFields(layer, below, outputs), target_kind: about.codes.NO_TARGETS, ...stepFields(1),
            outputs, order, n_order: count, batch_size: count, n_steps: 1, is_evaluation: 1,
        });
        call.run("outputs");
        below = outputs;
        return outputs;
    });
}

/**
 * The four equations for one example: the result of `forward`; t, the targets as the loss needs them; and the gradient by
 * each layer's z (delta), by weights and biases, which are as the network's, and by a^0 (input).
 */
export function backward(network, x, y) {
    const call = passOf(network, inputOf(network, x), y, { highest_loss: -Infinity }); // above which no step is taken
    const { fields } = call;
    fields.gradient = new Float64Array(fields.parameters.length);
    call.run("z", "a", "delta", "losses", "gradient");
    const t = apply("targets_of", call.at, fields.a.at(-1), network.sizes.at(-1));
    const delta = [null, ...fields.delta];
    const gradient = { delta, ...parametersOf(fields.gradient, network.sizes), input: sentBack(network, 1, delta[1]) };
    return { ...traceOf(fields), t, gradient };
}

/** dC/da of the outputs a, without a shortcut: the delta of a layer that passes them on unchanged. */
export function lossGradient(network, a, y) {
    const passing = { sizes: [1, a.length], parts: [{ name: "identity" }], weights: [new Float64Array(a.length)], biases: [a] };
    return backward({ ...network, ...passing, scaling: null }, [0], y).gradient.delta[1];
}

/** The network after one step of gradient descent, p - r dC/dp: a new one, the old one stays, and so do frozen layers. */
export function update(network, gradient, rate, frozen = []) {
    const moved = (old, slopes) => old.map((part, l) => (frozen.includes(l + 1) ? part : part.map((each, n) => each - rate * slopes[l][n])));
    return { ...network, weights: moved(network.weights, gradient.weights), biases: moved(network.biases, gradient.biases) };
}

/** How unusual the input of a pass is, 0..1: the share of one more output, for inputs of no class. See Doubt in model.py. */
export function unusual({ doubt }, { a, z }) {
    if (!doubt) { // a network that learns in the page has none either
        return 0;
    }
    const own = a.at(-2).reduce((sum, each, j) => sum + each * doubt.weight[j], doubt.bias);
    return 1 / z.at(-1).reduce((sum, other) => sum + Math.exp(other - own), 1);
}
