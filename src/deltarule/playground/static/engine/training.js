// A network in training: steps of an optimizer, taken by the engine. Touches no page.

import { Call, kernelOf } from "./module.js";
import { networkFields, parametersOf, sampleFields, stepFields } from "./network.js";

/** The length of a vector of any size. */
export const lengthOf = (values) => Math.sqrt(values.reduce((sum, each) => sum + each * each, 0));

export class Training {
    /**
     * @param {import("../shared/model_file.js").Network} network where it begins
     * @param {object} how inputs: (samples, inputs), as layer 1 reads them; targets: (samples,) classes in a BigInt64Array, or
     *     (samples, outputs); batchSize; optimizer: {name, ...all its settings}; Real: the kind of the engine's numbers
     */
    constructor(network, { inputs, targets, batchSize, optimizer, Real = Float32Array }) {
        const [rule, beta_1, beta_2, epsilon, weight_decay] = kernelOf("optimizer", optimizer);
        const fields = networkFields(network, Real);
        const [gradient, first, second] = [0, 0, 0].map(() => new Real(fields.parameters.length));
        const samples = inputs.length / network.sizes[0];
        this.begun = network;
        this.call = new Call(Real === Float32Array ? "float" : "double", {
            ...fields, ...sampleFields(network, inputs, targets), ...stepFields(Math.ceil(samples / batchSize)),
            order: new BigInt64Array(samples), batch_size: batchSize, rule, beta_1, beta_2, epsilon, weight_decay, steps: 0,
            gradient, first, second,
        });
    }

    /**
     * Takes the samples in this order, at most all of them, a batch a step.
     * @param {number[]} order indices of samples
     * @returns {Float64Array} the loss of each step's batch; one that is not finite has ended the steps
     */
    steps(order, rate) {
        const { fields } = this.call;
        const count = Math.ceil(order.length / fields.batch_size);
        this.call.hold();
        this.call.view("order").set(BigInt64Array.from(order, BigInt));
        this.call.view("rates").fill(rate);
        Object.entries({ n_order: order.length, n_steps: count, steps: fields.steps }).forEach((each) => this.call.set(...each));
        this.call.run("parameters", "gradient", "first", "second", "losses");
        fields.steps += count;
        return fields.losses.slice(0, count);
    }

    /** The loss, and the share of right answers, of the network as it is now on other samples, which are of classes. */
    score(inputs, targets) {
        const Real = this.call.fields.parameters.constructor;
        const call = new Call(this.call.real, {
            ...networkFields(this.network, Real), ...sampleFields(this.begun, inputs, targets), ...stepFields(1),
            order: BigInt64Array.from(targets, (_, index) => BigInt(index)), n_order: targets.length, batch_size: targets.length, n_steps: 1,
            is_evaluation: 1,
        });
        call.run("losses", "n_right");
        return { loss: call.fields.losses[0], accuracy: Number(call.fields.n_right[0]) / targets.length };
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
