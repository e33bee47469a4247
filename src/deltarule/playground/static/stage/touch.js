// Changes of a network by hand: a weight, a bias, everything that a neuron sends, noise. The new network keeps the
// original as `was`. Touches no page.

import { normal } from "../train/worlds.js";

const NAMES = { W: "weights", b: "biases" };

/** The network with other numbers: change(copy of the weights, "W", or biases, "b", of layer l) makes them. */
export function touched(network, kind, l, change) {
    const parts = [...network[NAMES[kind]]];
    parts[l - 1] = Float64Array.from(parts[l - 1]);
    change(parts[l - 1]);
    return { ...network, [NAMES[kind]]: parts, was: network.was ?? network };
}

/** Where the weights out of a neuron stand among those of the next layer. */
const sentBy = ({ sizes }, layer, neuron) => [neuron * sizes[layer + 1], (neuron + 1) * sizes[layer + 1]];

/** Whether nothing of a neuron, or input, reaches the next layer; never for an output. */
export function isSilent(network, layer, neuron) {
    return layer < network.weights.length && network.weights[layer].subarray(...sentBy(network, layer, neuron)).every((weight) => weight === 0);
}

/** The network in which a neuron sends nothing; or, if it is silenced, sends again what it sent before. */
export function silenced(network, layer, neuron) {
    const [start, end] = sentBy(network, layer, neuron);
    const before = isSilent(network, layer, neuron) && network.was?.weights[layer].subarray(start, end);
    return touched(network, "W", layer + 1, (weights) => (before ? weights.set(before, start) : weights.fill(0, start, end)));
}

/** The place of a neuron, layers counted from 1, in the noise of the store; layer 0 is the input, all of it. */
const placeOf = (layer, neuron) => `${layer} ${neuron}`;

/** The size of the noise on a neuron, or, for layer 0, on the input. */
export const noiseOn = ({ noise }, layer, neuron) => noise.get(placeOf(layer, neuron)) ?? 0;

/** The noise of the store with another size there. */
export function withNoise({ noise }, layer, neuron, size) {
    const others = [...noise].filter(([place]) => place !== placeOf(layer, neuron));
    return new Map(size > 0 ? [...others, [placeOf(layer, neuron), size]] : others);
}

/** The network and its input under noise: on a bias, so that z moves, or on every number of the input. */
export function shaken(network, x, noise) {
    let moved = network;
    for (const [place, size] of noise) {
        const [layer, neuron] = place.split(" ").map(Number);
        moved = layer === 0 ? moved : touched(moved, "b", layer, (biases) => (biases[neuron] += size * normal(Math.random)));
    }
    const size = noiseOn({ noise }, 0, 0);
    return [moved, size > 0 ? x.map((each) => each + size * normal(Math.random)) : x];
}
