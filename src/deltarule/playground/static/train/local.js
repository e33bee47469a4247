// Training in the page itself: the engine in a worker takes the server's place, and obeys the same orders.

import { shown } from "../widgets.js";

const RECIPES = [
    { name: "one hidden layer", hidden: [32], says: "784 – 32 – 10: learns 1,437 handwritten digits in about a second. Draw meanwhile: the answer changes as it learns." },
    { name: "two hidden layers", hidden: [64, 32], says: "784 – 64 – 32 – 10." },
    { name: "no hidden layer", hidden: [], says: "784 – 10: each output is one weighted sum of the pixels, and its weights look like its digit." },
];
const BATCH = 32;

/** The bytes that a page of one file holds in an element: base64 of gzip. */
async function unpacked(id) {
    const bytes = Uint8Array.from(atob(document.getElementById(id).textContent), (letter) => letter.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")));
}

/** A run in a worker, with the events and orders of a run of the server's. */
class LocalRun extends EventTarget {
    constructor(begin, { paused }) {
        super();
        Object.assign(this, { held: paused, busy: true, frame: null });
        begin().then((worker) => {
            this.worker = worker;
            worker.onmessage = ({ data }) => this.hear(data);
            worker.onerror = ({ message }) => this.end("refused", { says: `the worker could not start: ${message}` });
        }, ({ message }) => this.tell("refused", { says: message }));
    }

    tell(type, detail) {
        this.dispatchEvent(Object.assign(new Event(type), { detail }));
    }

    hear(frame) {
        this.busy = false;
        if (frame.says) {
            this.end("refused", frame);
            return;
        }
        const isFirst = this.frame === null;
        this.frame = frame;
        if (isFirst) {
            const sizes = [784, ...frame.layers.map(({ neurons }) => neurons)];
            const parameters = sizes.slice(1).reduce((sum, size, l) => sum + size * (sizes[l] + 1), 0);
            this.tell("begin", { sizes, parameters, changes: [], optimizer: "Adam" });
        }
        this.tell("frame", { ...frame, paused: this.held && !frame.isOver });
        if (frame.isOver) {
            const { batch_loss: loss, step, rate, isLost } = frame;
            this.over(isLost ? `a loss of ${shown(loss)} by step ${step}: the learning rate ${rate} is too high, try ${rate / 10}` : null, isLost);
        }
    }

    over(reason, failed = false) {
        this.end("end", { reason, failed, part: "test", examples: this.frame?.probe[1] ?? 0, accuracy: this.frame?.accuracy ?? NaN });
    }

    end(type, detail) {
        this.busy = true; // for good
        this.worker.onmessage = null;
        this.tell(type, detail);
    }

    /** Takes steps: few at first, since most is learned there, then a third of an epoch at a time; calmly, two epochs. */
    take(count = null) {
        const part = window.matchMedia("(prefers-reduced-motion: reduce)").matches ? 2 : 1 / 3;
        const steps = count ?? Math.min(Math.max(1, this.frame.step), Math.ceil(part * this.frame.steps / this.frame.epochs));
        if (!this.busy && this.frame) {
            this.busy = true;
            this.worker.postMessage({ steps });
        }
    }

    order(type) {
        if (type === "pause" && !this.held) {
            this.held = true;
            this.tell("frame", { ...this.frame, paused: true });
        } else if (type === "resume") {
            this.held = false;
        } else if (type === "step") {
            this.held = true;
            this.take(1);
        } else if (type === "more" && !this.held) {
            this.take();
        }
    }

    stop() {
        this.over("stopped on the page");
    }
}

export class LocalTrainer {
    /** @param {ArrayBuffer} engine the module of WebAssembly */
    constructor(engine) {
        Object.assign(this, { engine, isLocal: true });
    }

    async catalogue() {
        const recipes = RECIPES.map((recipe) => ({ ...recipe, data: "digits", epochs: 10, rate: 0.003 }));
        return { recipes, datasets: [{ name: "digits" }], limits: { rate: [1e-9, 1e9], epochs: [1, 1000] } };
    }

    train({ recipe, rate, epochs, seed = 1, paused }) {
        const { hidden } = RECIPES.find(({ name }) => name === recipe);
        return new LocalRun(async () => {
            this.worker ??= new Worker(URL.createObjectURL(await (await unpacked("program")).blob())); // which works, where there is no page
            this.digits ??= new Uint8Array(await (await unpacked("digits")).arrayBuffer());
            const begin = { engine: this.engine, digits: this.digits, hidden, rate: rate ?? 0.003, epochs, batchSize: BATCH, seed };
            this.worker.postMessage({ begin });
            return this.worker;
        }, { paused });
    }
}
