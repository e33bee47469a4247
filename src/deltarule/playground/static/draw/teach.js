// Teach it your handwriting: drawings with labels, some steps on them, and what the network forgets meanwhile.

import { button, element, inkPicture, percent, repaintOn, shown } from "../shared/widgets.js";
import { STEPS } from "../train/lesson.js";
import { clear } from "./pad.js";

const WHY = `Draw a digit, say what it is and keep it. Each ${STEPS} steps teach the network your drawings, and no other digit: ` +
    "see what it forgets meanwhile.";

const PAUSE = 300; // milliseconds after which a drawing counts as finished
const kept = []; // { pixels, label }: for whichever network is on the stage

/** Whether the bundled digits tell what such a network forgets. */
const isOfDigits = ({ sizes, task, scaling, reading }) => sizes.at(-1) === 10 && task === "classes" && !scaling && reading !== "images";

const bytesOf = (x) => Uint8Array.from(x, (each) => Math.round(255 * each));

/** The section for a network that reads drawings; nothing where the page has no digits to judge it by. */
export function makeTeaching(panel, store, trainer) {
    if (!trainer || !isOfDigits(store.network)) {
        return [];
    }
    const label = element("select", { onchange: () => store.set({ label: label.value === "" ? null : Number(label.value) }) },
        ...["", ...store.network.classNames].map((name, at) => element("option", { value: at === 0 ? "" : at - 1 }, name)));
    const keep = button("Keep it", () => {
        kept.push({ pixels: bytesOf(store.x), label: store.label });
        clear(store);
        show();
        document.querySelector("#stage .pad").focus();
    });
    const learn = button(`Take ${STEPS} steps`, () => take(), { class: "primary" });
    const list = element("ul", { class: "gallery", "aria-label": "Drawings to learn" });
    const says = element("p", { class: "small", role: "status" });
    const show = () => {
        list.replaceChildren(...kept.map((each) => {
            const name = store.network.classNames[each.label];
            const face = inkPicture(each.pixels, 28, 28, { "aria-hidden": "true" });
            const says = { class: "shown", title: "Remove it", "aria-label": `Remove a drawing of ${name}` };
            const remove = button(face, () => show(kept.splice(kept.indexOf(each), 1)), says);
            return element("li", {}, remove, element("span", { class: "small" }, name));
        }));
        learn.disabled = kept.length === 0;
    };
    const take = async () => {
        const { network, frozen, network: { was, ...bare } } = store;
        learn.disabled = true;
        const samples = { inputs: Uint8Array.from(kept.flatMap(({ pixels }) => [...pixels])), targets: BigInt64Array.from(kept, (each) => BigInt(each.label)) };
        try {
            const { weights, biases, own, digits } = await trainer.ask({ engine: trainer.engine, lesson: { network: bare, before: was ?? bare, frozen, ...samples } });
            if (store.network === network) { // and no hand has changed it meanwhile
                store.set({ network: { ...bare, weights, biases, was: was ?? network } });
            }
            const [before, now] = own.map((share) => Math.round(share * samples.targets.length));
            says.textContent = `Your drawings: ${before} of ${samples.targets.length} right before, ${now} now. The 1,797 bundled digits: ${percent(digits[0])} right before, ${percent(digits[1])} now.`;
        } catch ({ message }) {
            says.textContent = message;
        }
        show();
    };
    const near = element("ul", { class: "gallery", "aria-label": "Nearest digits" });
    let waiting = null;
    const look = async (x) => {
        const found = x ? await trainer.ask({ image: bytesOf(x) }) : [];
        if (x === store.x) {
            near.replaceChildren(...found.map(({ pixels, label: own, distance }) => element("li", {},
                inkPicture(pixels, 28, 28, { role: "img", "aria-label": `a ${own}` }),
                element("span", { class: "small" }, `${own} · ${shown(distance / 255)}`))));
        }
    };
    repaintOn(store, panel, ["label", "x"], () => {
        label.value = String(store.label ?? "");
        keep.disabled = !store.x || store.label === null;
        clearTimeout(waiting);
        waiting = setTimeout(() => look(store.x), PAUSE);
    });
    window.addEventListener("themechange", show);
    show();
    return [element("h2", {}, "Nearest of the bundled digits"), near, element("h2", {}, "Teach it your handwriting"), element("p", { class: "small muted" }, WHY),
        element("div", { class: "row" }, element("label", { class: "row" }, "You drew a", label), keep, learn), list, says];
}
