// The server behind the page: requests with the token of this launch, and runs over a socket.

import { parametersOf } from "../engine/network.js";
import { readModel } from "./model_file.js";

/** A message of the server: JSON, with null for numbers that are not finite. */
export function heard(text) {
    const said = JSON.parse(text);
    Object.values(said.arrays ?? {}).forEach((array) => (array.data = Float64Array.from(array.data, (value) => value ?? NaN)));
    return said;
}

/**
 * A run of the Trainer. It calls `tell` with a type and what belongs to it: "begin" what is about to learn; "frame" where
 * it stands, and the network if it is not too large, once after each "more"; "end" how it ended, and the network that it
 * leaves; "refused" why it was not begun; "closed" that the server is gone.
 */
export class Run {
    /** @param {string} address of the socket  @param {object} options what to train: see Start in playground.py */
    constructor(server, address, options, tell) {
        Object.assign(this, { server, tell, over: false, network: null, said: Promise.resolve(), socket: new WebSocket(address) });
        const afterAll = (act) => (this.said = this.said.then(act)); // reading a network takes a moment
        this.socket.addEventListener("open", () => (this.over ? this.socket.close() : this.order("start", options)));
        this.socket.addEventListener("message", ({ data }) => afterAll(() => this.hear(heard(data))));
        this.socket.addEventListener("close", () => afterAll(() => this.over || this.end("closed")));
    }

    async hear(said) {
        const { type, failed, streamed } = said;
        if (streamed || (type === "end" && !failed)) { // a model file holds no NaN
            this.network = { ...readModel(await this.server.bytes("model?of=trained")), of: "trained" };
            this.isStreamed = streamed;
        } else if (type === "frame" && this.isStreamed && !this.isFast) {
            const vector = Float64Array.from(new Float32Array(await this.server.bytes("parameters?of=trained")));
            this.network = { ...this.network, ...parametersOf(vector, this.network.sizes) };
        }
        if (type === "end" || type === "refused") {
            this.socket.close();
            this.end(type, { ...said, network: this.network });
        } else {
            this.tell(type, { ...said, network: type === "frame" && !this.isFast ? this.network : null });
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
        const token = new URLSearchParams(location.search).get("token") ?? "";
        Object.assign(this, { store, token, origin: location.origin });
    }

    /** Whose examples and mistakes are meant: the network's on the stage, "given" or "trained". */
    get of() {
        const { of } = this.store.network;
        if (!of) {
            throw new Error("this network was trained in the page, which has no examples for it");
        }
        return of;
    }

    async request(path) {
        const headers = { Authorization: `Bearer ${this.token}` };
        const answer = await fetch(`${this.origin}/api/${path}`, { headers, cache: "no-store" }).catch(() => {
            throw new Error("The server does not answer: is `deltarule playground` still running?");
        });
        if (!answer.ok) {
            const { error } = await answer.json().catch(() => ({ error: `the server answered ${answer.status}` }));
            throw new Error(error);
        }
        return answer;
    }

    /** What a path says in JSON: "catalogue" what can be trained, on what, { recipes, limits, datasets }. */
    async json(path) {
        return (await this.request(path)).json();
    }

    /** The bytes of "engine", "digits", "model?of=given" and "parameters?of=trained", as they are now: all weights, then all biases. */
    async bytes(path) {
        return (await this.request(path)).arrayBuffer();
    }

    /** A random test example of the network's data, or of the first one's: { x, label: number | number[], pixels, index }. */
    async example() {
        return this.json(`example?of=${this.store.network.of ?? "given"}`);
    }

    /** The confusion matrix on the examples that belong to the network, and what they are. */
    async mistakes() {
        return this.json(`mistakes?of=${this.of}`);
    }

    /** The examples of one class that were taken for another: { count, examples }, the most telling first. */
    async cell(right, predicted) {
        return this.json(`cell?of=${this.of}&true=${right}&predicted=${predicted}`);
    }

    /** Starts a run: { recipe, data, rate, epochs, seed, paused }. */
    train(options, tell) {
        return new Run(this, `${this.origin.replace(/^http/, "ws")}/ws?token=${encodeURIComponent(this.token)}`, options, tell);
    }
}
