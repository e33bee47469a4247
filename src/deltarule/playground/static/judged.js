// The examples that an exported page brings along, and what a network makes of them. Touches no page.

import { depth, forward } from "./engine/network.js";
import { largest } from "./mind.js";

const MOST_IN_CELL = 60;

/** Examples that the page holds, in the place of the server's: the same answers to the same questions. */
export class Judged {
    /** @param {object} network  @param {{x: ArrayLike<number>, label: number, pixels?: boolean}[]} examples pixels: 0..255 */
    constructor(network, examples) {
        this.network = network;
        this.rows = examples.map((example, index) => {
            const x = Float64Array.from(example.x, (each) => (example.pixels === false ? each : each / 255));
            const outputs = forward(network, x).a[depth(network)];
            const predicted = largest(outputs);
            return { pixels: true, ...example, index, predicted, probability: outputs[predicted] };
        });
    }

    async mistakes() {
        const names = this.network.classNames;
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

/** Those of an exported page, for whichever network it looks at: the same answers to the same questions as the server's. */
export class Held {
    /** @param {import("./store.js").Store} store */
    constructor(examples, store) {
        Object.assign(this, { examples, store });
    }

    async example() {
        return this.examples[Math.floor(Math.random() * this.examples.length)];
    }

    async mistakes() {
        this.judged = new Judged(this.store.network, this.examples);
        return this.judged.mistakes();
    }

    async cell(right, predicted) {
        return this.judged.cell(right, predicted);
    }
}
