// The examples that an exported page brings along, and what a network makes of them. Touches no page.

import { depth, forward } from "./engine/network.js";
import { largest } from "./mind.js";

const MOST_IN_CELL = 60;

/** The examples that a page of one file brings along: the same answers to the same questions as the server's. */
export class Held {
    /** @param {{x: ArrayLike<number>, label: number, pixels?: boolean}[]} examples pixels: 0..255  @param {{network: object}} store */
    constructor(examples, store) {
        Object.assign(this, { examples, store });
    }

    async example() {
        return this.examples[Math.floor(Math.random() * this.examples.length)];
    }

    /** What the network of the page makes of each. */
    judge({ network }) {
        return this.examples.map((example, index) => {
            const x = Float64Array.from(example.x, (each) => (example.pixels === false ? each : each / 255));
            const outputs = forward(network, x).a[depth(network)];
            const predicted = largest(outputs);
            return { pixels: true, ...example, index, predicted, probability: outputs[predicted] };
        });
    }

    async mistakes() {
        this.rows = this.judge(this.store);
        const names = this.store.network.classNames;
        const confusion = names.map(() => names.map(() => 0));
        this.rows.forEach(({ label, predicted }) => {
            confusion[label][predicted] += 1;
        });
        const right = this.rows.filter(({ label, predicted }) => label === predicted).length;
        return { confusion, classNames: names, count: this.rows.length, right, data: "this page" };
    }

    async cell(right, predicted) {
        const found = this.rows.filter((row) => row.label === right && row.predicted === predicted);
        const sign = right === predicted ? 1 : -1;
        found.sort((one, other) => sign * (one.probability - other.probability));
        return { count: found.length, examples: found.slice(0, MOST_IN_CELL) };
    }
}
