// A network in training: steps of an optimizer, taken by the engine. Touches no page.

import { about, Call, kernelOf } from "./module.js";
import { networkFields, parametersOf, sampleFields, stepFields } from "./network.js";

/** The length of a vector of any size. */
export const lengthOf = (values) => Math.sqrt(values.reduce((sum, each) => sum + each * each, 0));

/** What optimizers are set to where only their name is chosen: the defaults of Python's. */
export const OPTIMIZERS = {
    sgd: {}, momentum: { momentum: 0.9 }, nesterov: { momentum: 0.9 },
    rmsprop: { decay: 0.99, epsilon: 1e-8 }, adam: { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 },
};

/** Puts the parameters of layer l back in a vector of all. */
function keepLayer(vector, before, sizes, l) {
    const [now, old] = [vector, before].map((each) => parametersOf(each, sizes));
    now.weights[l - 1].set(old.weights[l - 1]);
    now.biases[l - 1].set(old.biases[l - 1]);
}

export class Training {
    /**
     * @param {import("../shared/model_file.js").Network} network where it begins
     * @param {object} how inputs: (samples, inputs), as layer 1 reads them; targets: (samples,) classes in a BigInt64Array, or
     *     (samples, outputs); batchSize; optimizer: {name, ...all its settings}; penalty: "none", "l1" or "l2", and its
     *     strength; Real: the kind of the engine's numbers
     */
    constructor(network, { inputs, targets, batchSize, optimizer, penalty = "none", strength = 0, Real = Float32Array }) {
        const [rule, beta_1, beta_2, epsilon, weight_decay] = kernelOf("optimizer", optimizer);
        const fields = networkFields(network, Real);
        const [gradient, first, second] = [0, 0, 0].map(() => new Real(fields.parameters.length));
        const samples = inputs.length / network.sizes[0];
        Object.assign(this, { begun: network, frozen: [] }); // layers, from 1, whose parameters stay as they are
        this.call = new Call(Real === Float32Array ? "float" : "double", {
            ...fields, ...sampleFields(network, inputs, targets), ...stepFields(Math.ceil(samples / batchSize)),
            order: new BigInt64Array(samples), batch_size: batchSize, penalty: about.codes[penalty === "none" ? "NO_PENALTY" : penalty.toUpperCase()], strength, rule, beta_1, beta_2, epsilon, weight_decay, steps: 0,
            gradient, first, second, is_evaluation: 0,
        });
    }

    /**
     * Takes the samples in this order, at most all of them, a batch a step; where layers are frozen, at most one batch.
     * @param {ArrayLike<number>} order indices of samples
     * @param {number | number[]} rate of all steps, or one for each
     * @returns {Float64Array} the loss of each step's batch; one that is not finite has ended the steps
     */
    steps(order, rate) {
        const { fields } = this.call;
        this.call.hold();
        const rates = this.call.view("rates");
        typeof rate === "number" ? rates.fill(rate) : rates.set(rate);
        const before = fields.parameters.slice();
        const count = this.run(order, { steps: fields.steps, is_evaluation: 0 }, "parameters", "gradient", "first", "second", "losses");
        fields.steps += count;
        this.frozen.forEach((l) => [fields.parameters, this.call.view("parameters")].forEach((vector) => keepLayer(vector, before, this.begun.sizes, l)));
        return fields.losses.slice(0, count);
    }

    /** The loss, and the share of right answers, of the network as it is now on some of the samples, which are of classes. */
    score(order) {
        const { fields } = this.call;
        this.call.hold();
        const count = this.run(order, { is_evaluation: 1 }, "losses", "n_right");
        const size = (step) => Math.min(fields.batch_size, order.length - step * fields.batch_size);
        const loss = fields.losses.slice(0, count).reduce((sum, each, step) => sum + each * size(step), 0) / order.length;
        return { loss, accuracy: Number(fields.n_right.slice(0, count).reduce((sum, each) => sum + each, 0n)) / order.length };
    }

    /** Makes the call for samples in this order; how many batches they are. */
    run(order, values, ...names) {
        const count = Math.ceil(order.length / this.call.fields.batch_size);
        this.call.view("order").set(BigInt64Array.from(order, BigInt));
        Object.entries({ n_order: order.length, n_steps: count, ...values }).forEach((each) => this.call.set(...each));
        this.call.run(...names);
        return count;
    }

    /** The length of dC/dW of each layer at the last step. */
    get gradientNorms() {
        return parametersOf(this.call.fields.gradient, this.begun.sizes).weights.map(lengthOf);
    }

    /** The network as it is now. */
    get network() {
        return { ...this.begun, ...parametersOf(Float64Array.from(this.call.fields.parameters), this.begun.sizes) };
    }
}
