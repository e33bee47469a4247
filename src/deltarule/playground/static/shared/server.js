// The server behind the page: requests with the token of this launch, and runs over a socket.

/** What the server says: JSON, in whose arrays null stands for a number that is not finite. */
export function heard(text) {
    const said = JSON.parse(text);
    Object.values(said.arrays ?? {}).forEach((array) => (array.data = Float64Array.from(array.data, (value) => value ?? NaN)));
    return said;
}

/**
 * A run of the Trainer. It calls `tell` with a type and what belongs to it: "begin" what is about to learn; "frame" where
 * it stands, once after each "more"; "end" how it ended; "refused" why it was not begun; "closed" that the server is gone.
 */
export class Run {
    /** @param {string} address of the socket  @param {object} options what to train: see Start in playground.py */
    constructor(address, options, tell) {
        Object.assign(this, { tell, over: false, socket: new WebSocket(address) });
        this.socket.addEventListener("open", () => (this.over ? this.socket.close() : this.order("start", options)));
        this.socket.addEventListener("message", ({ data }) => this.hear(heard(data)));
        this.socket.addEventListener("close", () => this.over || this.end("closed"));
    }

    hear(said) {
        if (said.type === "end" || said.type === "refused") {
            this.socket.close();
            this.end(said.type, said);
        } else {
            this.tell(said.type, said);
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
    constructor(location) {
        this.origin = location.origin;
        this.token = new URLSearchParams(location.search).get("token") ?? "";
        this.of = "given"; // which network the other tabs look at, and examples and mistakes belong to
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

    async json(path) {
        return (await this.request(path)).json();
    }

    /** The engine, a module of WebAssembly. */
    async engine() {
        return (await this.request("engine")).arrayBuffer();
    }

    /** The model file that the page opens with, or that of the last run that ended: "trained". */
    async model(of = "given") {
        const answer = await this.request(`model?of=${of}`);
        this.of = of;
        return answer.arrayBuffer();
    }

    /** A random test example of the network's data: { x, label: number | number[], pixels, index }. */
    async example() {
        return this.json(`example?of=${this.of}`);
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

    /** Starts a run: { recipe, data, rate, epochs, seed, paused }. */
    train(options, tell) {
        return new Run(`${this.origin.replace(/^http/, "ws")}/ws?token=${encodeURIComponent(this.token)}`, options, tell);
    }
}
