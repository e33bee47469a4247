// The server behind the page: requests with the token of this launch, and runs over a socket.

import { readModel, withParameters } from "./model_file.js";

const ARRAYS = { float32: Float32Array, float64: Float64Array, int8: Int8Array, uint8: Uint8Array };

/**
 * What a binary frame says: its facts, and arrays as { data, shape } by name. See protocol.py.
 * @returns {{arrays: Object<string, {data: ArrayLike<number>, shape: number[]}>}}
 */
export function readFrame(buffer) {
    const aligned = (place) => Math.ceil(place / 8) * 8;
    const length = new DataView(buffer).getUint32(0, true);
    const facts = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
    const arrays = {};
    let start = 4 + length;
    for (const { name, dtype, shape } of facts.arrays) {
        const count = shape.reduce((product, side) => product * side, 1);
        const kind = ARRAYS[dtype];
        start = aligned(start);
        arrays[name] = { data: new kind(buffer, start, count), shape };
        start += count * kind.BYTES_PER_ELEMENT;
    }
    return { ...facts, arrays };
}

/**
 * A run of the Trainer. It calls `tell` with a type and what belongs to it: "begin" what is about to learn; "frame" where
 * it stands, and the network if it is not too large, once after each "more"; "end" how it ended, and the network that it
 * leaves; "refused" why it was not begun; "closed" that the server is gone.
 */
export class Run {
    /** @param {string} address of the socket  @param {object} options what to train: see Start in protocol.py */
    constructor(server, address, options, tell) {
        Object.assign(this, { server, tell, over: false, network: null, heard: Promise.resolve(), socket: new WebSocket(address) });
        const afterAll = (act) => (this.heard = this.heard.then(act)); // reading a network takes a moment
        this.socket.binaryType = "arraybuffer";
        this.socket.addEventListener("open", () => (this.over ? this.socket.close() : this.order("start", options)));
        this.socket.addEventListener("message", ({ data }) => afterAll(() => this.hear(typeof data === "string" ? JSON.parse(data) : readFrame(data))));
        this.socket.addEventListener("close", () => afterAll(() => this.over || this.end("closed")));
    }

    async hear(said) {
        const parameters = said.arrays?.parameters.data ?? [];
        if (said.type === "begin" || (said.type === "end" && !said.failed)) { // a model file holds no NaN
            this.network = { ...readModel(await this.server.model("trained")), of: "trained" };
        } else if (parameters.length > 0) {
            this.network = withParameters(this.network, parameters);
        }
        if (said.type === "end" || said.type === "refused") {
            this.socket.close();
            this.end(said.type, { ...said, network: this.network });
        } else {
            this.tell(said.type, { ...said, network: parameters.length > 0 ? this.network : null });
        }
    }

    end(type, detail) {
        this.over = true;
        this.tell(type, detail);
    }

    /** Says "more", for the next frame once the last is shown; "pause"; "resume"; "step", to take one step and hold. */
    order(type, options = {}) {
        if (this.socket.readyState === WebSocket.OPEN) {
            this.socket.send(JSON.stringify({ type, ...options }));
        }
    }

    /** Ends the run; what it has learned counts. */
    stop() {
        if (this.socket.readyState === WebSocket.CONNECTING) { // closed once it is open: browsers complain of one that was not
            this.end("refused", { says: "Stopped before it began." });
        }
        this.order("stop");
    }
}

export class Server {
    /** @param {Location} location of the page: the token of this launch stands in its query */
    constructor(location, store) {
        this.origin = location.origin;
        this.token = new URLSearchParams(location.search).get("token") ?? "";
        this.store = store;
    }

    /** Whose examples and mistakes are meant: the network's on the stage, "given" or "trained". */
    get of() {
        const { of } = this.store.network;
        if (!of) {
            throw new Error("this network learned in the page, which has no examples for it");
        }
        return of;
    }

    async request(path, options = {}) {
        const headers = { Authorization: `Bearer ${this.token}` };
        const answer = await fetch(`${this.origin}/api/${path}`, { ...options, headers, cache: "no-store" }).catch(() => {
            throw new Error("The server does not answer: is `deltarule playground` still running?");
        });
        if (!answer.ok) {
            const { error } = await answer.json().catch(() => ({ error: `the server answered ${answer.status}` }));
            throw new Error(error);
        }
        return answer;
    }

    async json(path, options) {
        return (await this.request(path, options)).json();
    }

    /** The engine, a module of WebAssembly. */
    async engine() {
        return (await this.request("engine")).arrayBuffer();
    }

    /** The model file that the page opens with, or that of the last run: "trained". */
    async model(of = "given") {
        return (await this.request(`model?of=${of}`)).arrayBuffer();
    }

    /** The bundled digits, a label and 8x8 cells each. */
    async digits() {
        return (await this.request("digits")).arrayBuffer();
    }

    /** A random test example of the network's data, or of the first one's: { x, label: number | number[], pixels, index }. */
    async example() {
        const { of = "given", sizes } = this.store.network;
        const example = await this.json(`example?of=${of}&split=test`);
        if (example.x.length !== sizes[0]) {
            throw new Error(`the examples here have ${example.x.length} numbers each, and this network reads ${sizes[0]}.`);
        }
        return example;
    }

    /** The confusion matrix on the examples that belong to the network, and what they are. */
    async mistakes() {
        return this.json(`mistakes?of=${this.of}`);
    }

    /** The examples of one class that were taken for another: { count, examples }, the most telling first. */
    async cell(right, predicted) {
        return this.json(`cell?of=${this.of}&true=${right}&predicted=${predicted}`);
    }

    /** What can be trained, on what: { recipes, limits, datasets }. */
    async catalogue() {
        return this.json("catalogue");
    }

    /** What Python's normalizer makes of an image file: a Reading, as of ink.js. */
    async image(file) {
        return this.json("image", { method: "POST", body: file });
    }

    /** Starts a run: { recipe, data, rate, epochs, seed, paused }. */
    train(options, tell) {
        return new Run(this, `${this.origin.replace(/^http/, "ws")}/ws?token=${encodeURIComponent(this.token)}`, options, tell);
    }
}
