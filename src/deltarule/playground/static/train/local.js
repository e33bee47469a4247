// Training in the page itself: a run in a worker, which tells and obeys as a run of the server's does.

import { isCalm, shown } from "../shared/widgets.js";

const FRAMES = 200; // that a run has at most, if its epochs are short
const SLICE = 0.08; // seconds that a worker may take to a frame

/** The bytes that a page of one file holds in an element: base64 of gzip. */
export async function unpacked(id) {
    const bytes = Uint8Array.from(atob(document.getElementById(id).textContent), (letter) => letter.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

class RunInWorker {
    constructor(begin, store, { id, paused }, tell) {
        Object.assign(this, { store, id, tell, held: paused, goal: 0, busy: true, frame: null });
        begin().then((worker) => {
            this.worker = worker;
            worker.onmessage = ({ data }) => (data.says || data.id === id) && this.hear(data); // ignore late messages of an earlier run
            worker.onerror = ({ message }) => this.end("refused", { says: `the worker could not start: ${message}` });
        }, ({ message }) => this.end("refused", { says: message }));
    }

    hear(frame) {
        this.busy = false;
        if (frame.says) {
            return this.end("refused", frame);
        }
        const isFirst = this.frame === null;
        this.frame = frame;
        if (isFirst) {
            const { sizes } = frame.network;
            const parameters = sizes.slice(1).reduce((sum, size, l) => sum + size * (sizes[l] + 1), 0);
            this.tell("begin", { sizes, parameters, changes: [], optimizer: frame.settings.optimizer });
        }
        const isOnTheWay = this.held && frame.step < this.goal && !frame.isOver;
        this.tell("frame", { ...frame, paused: this.held && !isOnTheWay && !frame.isOver });
        if (frame.isOver) {
            const { isLost, batch_loss: loss, step, settings: { rate } } = frame;
            const advice = `the learning rate ${rate} is too high, try ${rate / 10}`;
            this.over(isLost ? `a loss of ${shown(loss)} by step ${step}: ${advice}` : null, isLost);
        } else if (isOnTheWay) {
            this.take(this.goal - frame.step);
        }
    }

    over(reason, failed = false) {
        const { network, probe: [learned, held], accuracy, r2, isStuck, isLost, settings: { rate } } = this.frame;
        const verdict = isStuck && !isLost && this.frame.isOver ? `The loss has not fallen. The learning rate ${rate} may be too high, try ${rate / 10}; or train longer.` : null;
        this.end("end", { network, reason, failed, verdict, part: held ? "test" : "train", examples: held ?? learned, accuracy, r2 });
    }

    end(type, detail) {
        this.busy = true; // for good
        this.tell(type, detail);
        this.tell = () => {}; // later messages of the worker are ignored
    }

    /** Takes steps: few at first, since most is learned there, then a third of an epoch at a time; calmly, two epochs. */
    take(most = Infinity) {
        if (this.busy || !this.frame) {
            return;
        }
        const { step, steps, epochs, seconds } = this.frame;
        const part = Math.max((isCalm() ? 2 : 1 / 3) * steps / epochs, steps / FRAMES);
        const slice = isCalm() || step === 0 ? Infinity : Math.max(1, SLICE * step / seconds);
        this.busy = true;
        this.worker.postMessage({ steps: Math.ceil(Math.min(most, Math.max(1, step), part, slice)), frozen: this.store.frozen });
    }

    order(type, steps = 1) {
        if (type === "pause" && !this.held) {
            this.held = true;
            this.tell("frame", { ...this.frame, paused: true });
        } else if (type === "resume") {
            this.held = false;
        } else if (type === "step") {
            this.held = true;
            this.goal = this.frame.step + steps;
            this.take(steps);
        } else if (type === "more" && !this.held) {
            this.take();
        }
    }

    stop() {
        return this.frame ? this.over("stopped on the page") : this.end("refused", { says: "Stopped before it began." });
    }
}

export class LocalTrainer {
    /** @param {ArrayBuffer} engine the module of WebAssembly  @param {Server | null} server that has the digits; null: the page has */
    constructor(engine, server, store) {
        Object.assign(this, { engine, server, store, isLocal: true, runs: 0 });
    }

    /** The worker, begun once. */
    begin() {
        this.worker ??= this.server ? Promise.resolve(new Worker(document.querySelector("script[src]").src, { type: "module" })) :
            unpacked("program").then((program) => new Worker(URL.createObjectURL(new Blob([program])))); // which works without a page
        return this.worker;
    }

    /** The worker, once it holds the bundled digits. */
    async holdDigits() {
        const worker = await this.begin();
        this.digits ??= (this.server?.bytes("digits") ?? unpacked("digits")).then((bytes) => worker.postMessage({ samples: { name: "digits", bytes: new Uint8Array(bytes) } }));
        await this.digits;
        return worker;
    }

    /** What lesson.js makes of a question, { lesson, engine } or { image }; Error where it fails. */
    async ask(question) {
        const worker = await this.holdDigits();
        const { port1, port2 } = new MessageChannel();
        worker.postMessage(question, [port2]);
        const { data } = await new Promise((done) => (port1.onmessage = done));
        if (data.says) {
            throw new Error(data.says);
        }
        return data;
    }

    /** Gives the worker samples to hold, by their name; they leave the page. */
    async hold(samples) {
        (await this.begin()).postMessage({ samples }, [samples.inputs.buffer, samples.targets.buffer]);
    }

    /** Starts a run with the settings of build.js on `samples`: their name where the worker has them, or all that they are. */
    train({ settings, samples, paused }, tell) {
        const id = (this.runs += 1);
        return new RunInWorker(async () => {
            const worker = await (samples === "digits" ? this.holdDigits() : this.begin());
            if (typeof samples !== "string") {
                await this.hold(samples);
            }
            worker.postMessage({ engine: this.engine, begin: { name: samples.name ?? samples, settings: { ...settings, id } } });
            return worker;
        }, this.store, { id, paused }, tell);
    }
}
