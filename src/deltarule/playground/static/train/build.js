// The fields with which one builds a network for this page to train, and the same as a recipe for Python.

import { copy } from "../shared/share.js";
import { answersIn, hasOneInput, pointsIn, pointsOf, pointsText, samplesOf, worldOf, WORLDS } from "./worlds.js";

const MOST_PARAMETERS = 20_000_000; // as many as a page can hold: files/page.py
const USUAL = {
    hidden: "8, 8", activation: "tanh", loss: "cross_entropy", optimizer: "adam", schedule: "constant", rate: 0.01, batch: 16,
    penalty: "none", strength: 0.001, epochs: 100, seed: 1, noise: 0.1,
};
const IMAGES = { activation: "relu", noise: 0 };
const SAYS = "Two numbers, two colors. Every cell shows the plane as one neuron sees it, the large picture the network's answer.";

/** The data to learn: a description, and suitable settings. */
const DATA = {
    digits: { ...IMAGES, hidden: "32", rate: 0.003, batch: 32, epochs: 10, says: "1,437 handwritten digits to learn, 360 held out. Draw meanwhile: the answer changes as the network learns." },
    moons: { hidden: "8", says: SAYS }, circles: { hidden: "8", says: SAYS },
    spirals: { hidden: "16, 16", activation: "relu", epochs: 200, noise: 0.02, says: `${SAYS} Spirals are hard: a hidden layer of 2 cannot do it.` },
    xor: { hidden: "8", noise: 0.05, says: `${SAYS} Without a hidden layer the accuracy stays at chance.` },
    gaussians: { hidden: "", says: `${SAYS} The two overlap, so nothing reaches 100 %.` },
    curve: { hidden: "8", loss: "quadratic", says: "One number x and the y of a noisy curve. Every cell shows its neuron over x, the large picture the network's answer; add points to it if you like." },
    "cute-dog": { hidden: "", optimizer: "sgd", rate: 3, batch: 300, epochs: 200, seed: 20, noise: 0, says: "Is a dog cute, from the size of its eyes? The dogs above are. Without a hidden layer there are two parameters, and their loss is a surface." },
    points: { noise: 0, says: "Choose a color and click in the picture to add points; none is held out." },
    mnist: { ...IMAGES, hidden: "128", rate: 0.01, schedule: "one_cycle", batch: 128, epochs: 4, says: "MNIST's own files: drop all four here, zipped or not. 60,000 digits to learn, 10,000 held out." },
};

const isWorld = (data) => WORLDS.includes(data) || data === "points";

/** A recipe with these settings, in TOML. */
export function tomlOf({ data, hidden, activation, optimizer, schedule, rate, batch, penalty, strength, epochs, ...more }) {
    const { output, loss } = answersIn({ data, ...more });
    return [
        "[about]", `name = "page-${data}"`, "", "[data]", `name = "${isWorld(data) ? `${data}.csv` : data}"`,
        ...!more.isSplit ? [] : [`split = {kind = "${data === "curve" ? "shuffled" : "stratified"}", test = 100}`], "",
        "[network]", `hidden = [${hidden.join(", ")}]`, `activation = "${activation}"`,
        `output = "${output}"`, `loss = "${loss}"`, "",
        "[training]", `optimizer = "${optimizer}"`, `schedule = {name = "${schedule}", rate = ${rate}}`, `epochs = ${epochs}`, `batch_size = ${batch}`,
        ...penalty === "none" ? [] : [`penalty = {name = "${penalty}", strength = ${strength}}`], "",
    ].join("\n");
}

/** The form of index.html, and the values of its fields. */
export class Build {
    /** @param {(name: string) => void} change hears which field has changed */
    constructor(change) {
        this.node = document.getElementById("build").content.firstElementChild.cloneNode(true);
        this.points = { points: [] }; // the user's own, by the data in whose place they are
        this.controls = Object.fromEntries([...this.node.querySelectorAll("[name]")].map((control) => [control.name, control]));
        ["says", "toml", "run", "csv", "copied"].forEach((name) => (this[name] = this.node.querySelector(`.${name}`)));
        this.files = this.node.querySelector("#train-files");
        this.node.addEventListener("change", ({ target: { name } }) => {
            if (name) {
                this.points = name === "data" ? { points: this.points.points } : this.points;
                this.usual(name);
                change(name);
            }
        });
        this.node.querySelector(".recipe button").addEventListener("click", () => copy(this.toml.textContent, this.copied));
        this.usual("data");
    }

    /** Fills in what suits the data once they are others; then shows the recipe. */
    usual(name) {
        const { says, ...suits } = DATA[this.data];
        Object.entries(name === "data" ? { ...USUAL, ...suits } : {}).forEach(([field, value]) => (this.controls[field].value = value));
        this.says.textContent = says;
        this.controls.noise.closest(".field").hidden = !WORLDS.includes(this.data) || this.isOwn || this.data === "cute-dog";
        this.controls.loss.closest(".field").hidden = this.data === "curve";
        this.controls.strength.closest(".field").hidden = this.controls.penalty.value === "none";
        this.files.closest(".field").hidden = this.data !== "mnist";
        this.csv.hidden = !this.isWorld;
        this.toml.textContent = tomlOf({ ...this.settings, isSplit: this.isWorld && !this.isOwn });
        this.run.textContent = `deltarule train recipe.toml${this.isWorld ? ` --data ${this.data}.csv --target ${worldOf(this.data).columns.at(-1)}` : ""}`;
    }

    get data() {
        return this.controls.data.value;
    }

    /** Whether the data are points in a picture. */
    get isWorld() {
        return isWorld(this.data);
    }

    /** Whether the user has put these points. */
    get isOwn() {
        return Object.hasOwn(this.points, this.data);
    }

    /** Whether a click adds a point, without a color being chosen before. */
    get takesPoints() {
        return this.isOwn || this.data === "points";
    }

    /** Error where the data are files that have not come. */
    check() {
        if (this.data === "mnist" && !this.hasFiles) {
            throw new Error("choose MNIST's files, or drop them here: train-images-idx3-ubyte, train-labels-idx1-ubyte, and the two of t10k");
        }
    }

    /** What LocalTrainer takes; Error if there are no samples. */
    options() {
        return { settings: this.settings, samples: this.isWorld ? this.samples : this.data };
    }

    /** What a run takes: see LocalRun. */
    get settings() {
        const values = Object.values(this.controls).map(({ name, type, value }) => [name, type === "number" ? Number(value) : value]);
        return { ...Object.fromEntries(values), hidden: (this.controls.hidden.value.match(/\d+/g) ?? []).map(Number) };
    }

    /** The points of the world, those to be learned and held out alike. */
    get world() {
        return this.points[this.data] ?? pointsOf(this.data, this.settings.seed, this.settings.noise);
    }

    get samples() {
        return samplesOf(this.world, this.isOwn, this.data);
    }

    /** Whether the fields hold what a run can have; the browser says what is wrong with one that does not. */
    get isPossible() {
        const { hidden } = this.controls;
        const sizes = [this.isWorld ? 2 : 784, ...this.settings.hidden, 10];
        const count = sizes.slice(1).reduce((sum, size, l) => sum + size * (sizes[l] + 1), 0);
        hidden.setCustomValidity(count > MOST_PARAMETERS ? `At most 20 million parameters: these layers have ${count.toLocaleString("en")}` : "");
        return Object.values(this.controls).every((control) => control.closest("[hidden]") || control.checkValidity() || this.show(control));
    }

    /** Shows what is wrong with a field, which may lie under More. */
    show(control) {
        control.closest("details")?.setAttribute("open", "");
        return control.reportValidity();
    }

    /** What differs from what suits the data, as texts for an address. */
    get texts() {
        const usual = { ...USUAL, ...DATA[this.data] };
        const others = Object.entries(this.controls).filter(([name, { value }]) => name !== "data" && value !== String(usual[name]));
        const own = this.points[this.data]?.length > 0 ? { points: pointsText(this.world) } : {};
        return { data: this.data, ...Object.fromEntries(others.map(([name, { value }]) => [name, value.replace(/[, ]+/g, "-")])), ...own };
    }

    /** Takes the texts of an address; what a field cannot hold is left out. */
    take({ data, points = "", ...texts }) {
        this.controls.data.value = Object.hasOwn(DATA, data) ? data : this.data;
        const own = pointsIn(points);
        this.points = { points: [], ...own.length > 0 && { [this.data]: own } };
        this.usual("data");
        for (const [name, text] of Object.entries(texts).filter(([each]) => Object.hasOwn(this.controls, each) && each !== "data")) {
            const [control, before] = [this.controls[name], this.controls[name].value];
            control.value = name === "hidden" ? text.replaceAll("-", ", ") : text;
            control.value = control.checkValidity() && (control.value || name === "hidden") ? control.value : before;
        }
        this.usual("");
    }

    /** Puts a person's own points instead of the world. */
    own(points) {
        this.controls.data.value = hasOneInput(this.data) ? this.data : "points";
        this.points[this.data] = points;
        this.usual("");
    }

    /** Prepares the link to the points, once they are shown. */
    link(points) {
        const { columns, row } = worldOf(this.data);
        const rows = [columns, ...points.map((point) => row(point).map((each) => Number(each.toFixed(4)))), ""];
        this.csv.href = `data:text/csv,${encodeURIComponent(rows.join("\n"))}`;
        this.csv.download = `${this.data}.csv`;
    }

    set disabled(value) {
        Object.values(this.controls).forEach((control) => (control.disabled = value));
    }
}
