// Draw: the pad, and what the normalizer makes of it.

import { BLANK, readsDrawings } from "../shared/store.js";
import { button, element, numberField, paintInk, picture, repaintOn } from "../shared/widgets.js";
import { noiseOn, withNoise } from "../stage/touch.js";
import { clear, makePad, undo } from "./pad.js";
import { readImageFile } from "./reading.js";
import { makeTeaching } from "./teach.js";

const KEYS = "Draw with mouse, finger or pen. With the keyboard: Space shows a pen, arrow keys move it (with Shift " +
    "finely), Space lowers and raises it, Escape hides it; without the pen, arrow keys nudge the picture. " +
    "Backspace undoes, Delete clears.";

/** The film strip: one picture a stage of the normalizer, each with its name. */
function makeFilm(panel, store) {
    const film = element("ol", { class: "film", "aria-label": "What the normalizer does" });
    const nothing = element("p", { class: "film small muted" }, "Each step from the pad to 28 × 28 pixels shows here once you draw.");
    let shownNames = null;
    repaintOn(store, panel, ["stages"], () => {
        const names = store.stages.map(({ name }) => name).join("|");
        if (names !== shownNames) {
            shownNames = names;
            film.hidden = store.stages.length === 0;
            nothing.hidden = !film.hidden;
            film.replaceChildren(...store.stages.map(({ name }, index) => element("li", {},
                picture(`Stage ${index + 1}: ${name}`), element("span", {}, name))));
        }
        film.querySelectorAll("canvas").forEach((canvas, index) => {
            const { width, height, pixels } = store.stages[index];
            Object.assign(canvas, { width, height });
            paintInk(canvas, pixels);
        });
    });
    return [film, nothing];
}

/** Puts image files on the pad, picked, dropped or pasted; `attempt` does it, and reports errors. */
function connectFiles(panel, store, attempt) {
    const take = (file) => attempt(async () => {
        const picture = await readImageFile(file);
        store.set({ drawing: { ...BLANK, picture, source: "file", before: store.drawing } });
    });
    const input = element("input", {
        type: "file", accept: "image/png,image/jpeg,image/webp,image/bmp", class: "unseen", tabindex: "-1", "aria-label": "An image file",
        onchange: () => {
            const [file] = input.files;
            input.value = "";
            return file && take(file);
        },
    });
    const takeFirst = ([file]) => file && input.isConnected && store.tab !== "train" && take(file); // there, files are for training
    window.addEventListener("dragover", (event) => event.preventDefault()); // else a file that misses takes the page's place
    window.addEventListener("drop", (event) => {
        event.preventDefault();
        takeFirst(event.dataTransfer.files);
    });
    window.addEventListener("paste", (event) => takeFirst(event.clipboardData.files));
    return input;
}

/** The pad with its buttons, for the stage. */
export function makeDesk(panel, store, examples) {
    const complaint = element("p", { class: "complaint", role: "alert" });
    const attempt = async (act, before = "") => {
        complaint.textContent = await act().then(() => "", ({ message }) => before + message);
    };
    const input = connectFiles(panel, store, attempt);
    const takeExample = async () => store.takeExample(await examples.example());
    return element("div", { class: "desk" },
        makePad(panel, store, "pad-keys"),
        element("div", { class: "row" },
            button("Undo", () => undo(store)),
            button("Clear", () => clear(store)),
            examples ? button("Random example", () => attempt(takeExample, "No example: ")) : null,
            button("Open image …", () => input.click()), input),
        complaint);
}

/** The field for noise on every number of the input. */
function noiseField(store) {
    const field = numberField((size) => store.set({ noise: withNoise(store, 0, 0, size) }), { min: "0", step: "0.1", value: "0", "aria-label": "noise on the input" });
    store.on(["noise"], () => (field.value = String(noiseOn(store, 0, 0))));
    return element("label", { class: "switch" }, "Noise ", field, " on every input, another one at each change");
}

/** The tab for a network that reads images of 28x28. */
function forImages(panel, store, trainer) {
    const skip = element("input", { type: "checkbox", onchange: () => store.set({ skip: skip.checked }) });
    store.addEventListener("change", () => {
        skip.disabled = store.network.reading === "images"; // which has never seen a normalized digit
        skip.checked = store.skip || skip.disabled;
    });
    return [element("div", { class: "columns" },
        element("div", {}, element("h2", {}, "What the network sees"), ...makeFilm(panel, store), ...makeTeaching(panel, store, trainer)),
        element("div", {},
            noiseField(store),
            element("label", { class: "switch" }, skip, " Skip the normalizer: give the network the pad as it is"),
            element("p", { class: "small muted" }, store.network.reading === "images" ?
                "The network learned unprocessed images: a picture is scaled to 28 x 28 pixels, and the pad is read as you see it." :
                "The network has only ever seen digits that were cropped, scaled to 20 pixels " +
                "and centered by their mass, like MNIST's. Your drawing gets the same treatment before the network reads it: nudge it, and " +
                "nothing changes. Skip the normalizer and draw small or in a corner: you see how much it helps."),
            element("p", { id: "pad-keys", class: "small muted" }, KEYS)))];
}

/** Mounts the tab into its panel. */
export function mount(panel, store, examples, trainer) {
    let shown = null; // the structure that it was made for
    store.on(["structure"], () => {
        if (!store.network.practice && store.structure !== shown) {
            shown = store.structure;
            panel.replaceChildren(...(readsDrawings(store.network) ? forImages(panel, store, trainer) :
                [element("p", { class: "muted" }, "Change an input on the left: every neuron and the answer change."), noiseField(store)]));
        }
    });
}
