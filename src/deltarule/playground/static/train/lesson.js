// Your handwriting as a lesson: some steps on drawings with labels, and what a network forgets meanwhile. Touches no page.

import { OPTIMIZERS, Training } from "../engine/training.js";

const RATE = 0.001; // of Adam
const BATCH = 100; // of digits, where they are only counted
export const STEPS = 10;

const allOf = ({ targets }) => [...targets.keys()];

function trainingOf(network, { inputs, targets }, batchSize) {
    return new Training(network, { inputs, targets, batchSize, optimizer: { name: "adam", ...OPTIMIZERS.adam } });
}

/** The digits nearest to an image, by the length of the difference of their pixels, 0..255: { pixels, label, distance } each. */
export function nearest(image, count, { inputs, targets }) {
    const digits = Array.from(targets, (label, at) => ({ pixels: inputs.subarray(784 * at, 784 * (at + 1)), label: Number(label) }));
    digits.forEach((digit) => (digit.distance = Math.sqrt(digit.pixels.reduce((sum, each, k) => sum + (each - image[k]) ** 2, 0))));
    return digits.sort((one, other) => one.distance - other.distance).slice(0, count).map((digit) => ({ ...digit, pixels: digit.pixels.slice() }));
}

/**
 * Takes ten steps, each on all drawings.
 * @param {object} lesson network; before: the one to compare it with; inputs, targets: the drawings; frozen: layers from 1
 * @returns {object} weights and biases after the steps; own, digits: the shares that `before` and the new network get right
 */
export function teach({ network, before, frozen, ...drawings }, digits) {
    const training = trainingOf(network, drawings, drawings.targets.length);
    training.frozen = frozen;
    for (let step = 0; step < STEPS; step += 1) {
        training.steps(allOf(drawings), RATE);
    }
    const after = training.network;
    const [own, others] = [drawings, digits].map((samples) =>
        [before, after].map((each) => trainingOf(each, samples, Math.min(BATCH, samples.targets.length)).score(allOf(samples)).accuracy));
    return { weights: after.weights, biases: after.biases, own, digits: others };
}
