// Changes of a network by hand: a weight, a bias, everything that a neuron sends. The new network keeps the original
// as `was`. Touches no page.

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
