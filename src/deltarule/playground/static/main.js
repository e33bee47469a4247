// The page: reads the network, makes the store, mounts the stage and the tabs, moves between them. In its worker: training.

import { mount as mountBackprop } from "./backprop/backprop.js";
import { mount as mountDraw } from "./draw/draw.js";
import { readDrawings } from "./draw/reading.js";
import { load } from "./engine/module.js";
import { forward } from "./engine/network.js";
import { Held } from "./mistakes/mind.js";
import { mount as mountMistakes } from "./mistakes/mistakes.js";
import { readModel } from "./shared/model_file.js";
import { connectShare } from "./shared/share.js";
import { addressOf, fieldsOf, readsDrawings, Store } from "./shared/store.js";
import { roving, themeChanged } from "./shared/widgets.js";
import { mount as mountStage } from "./stage/stage.js";
import { shaken } from "./stage/touch.js";
import { connectTour } from "./stage/tour.js";
import { LocalTrainer, unpacked } from "./train/local.js";
import { heldOut, obey } from "./train/run.js";
import { mount as mountTrain } from "./train/train.js";

const MOUNTS = { stage: mountStage, draw: mountDraw, backprop: mountBackprop, mistakes: mountMistakes };

/** Connects tabs and panels as the ARIA authoring practices say: one tab stop, arrows move, the panel follows. */
function connectTabs(store) {
    const list = document.querySelector("[role=tablist]");
    const tabs = [...list.querySelectorAll("[role=tab]")];
    roving(list, "[role=tab]:not([hidden])");
    const open = ({ target }) => target.closest("[role=tab]") && store.set({ tab: target.closest("[role=tab]").getAttribute("aria-controls") });
    ["focusin", "click"].forEach((name) => list.addEventListener(name, open));
    const show = () => {
        for (const tab of tabs) {
            const open = tab.getAttribute("aria-controls") === store.tab;
            tab.setAttribute("aria-selected", String(open));
            tab.setAttribute("tabindex", open ? "0" : "-1");
            document.getElementById(tab.getAttribute("aria-controls")).hidden = !open;
        }
    };
    store.on(["tab"], show);
    show();
}

const ADDRESS_DELAY = 400; // milliseconds: a browser refuses a new address a frame

/** Keeps the address up to date with the store, and the store with an address that the user changes. */
function connectAddress(store) {
    if (location.protocol === "about:") {
        return; // a frame in a notebook has no address of its own
    }
    const take = () => {
        const { tab, ...fields } = fieldsOf(location.hash.slice(1));
        if (fields.drawing?.label >= store.network.sizes.at(-1)) {
            fields.drawing.label = null;
        }
        if (!readsDrawings(store.network)) {
            delete fields.drawing;
        }
        const known = document.querySelector(`[role=tab]:not([hidden])[aria-controls="${CSS.escape(tab)}"]`);
        store.set(known ? { tab, ...fields } : fields);
    };
    const here = () => [{ tab: store.tab }, "", `#${addressOf(store)}`];
    let waiting = null;
    store.addEventListener("change", ({ keys }) => {
        clearTimeout(waiting);
        waiting = setTimeout(() => history.replaceState(...here()), ADDRESS_DELAY);
        if (keys.has("tab") && history.state && history.state.tab !== store.tab) {
            history.pushState(...here()); // so that Back leads to the tab of before, and not away from the page
        }
    });
    const begin = () => {
        take();
        history.replaceState(...here());
    };
    window.addEventListener("popstate", ({ state }) => state?.tab && store.set({ tab: state.tab }));
    window.addEventListener("hashchange", () => history.state ?? begin()); // which a typed address has not
    begin();
}

/** The switch between light and dark: the system's choice until a person makes another. */
function connectTheme() {
    const button = document.getElementById("theme");
    const system = window.matchMedia("(prefers-color-scheme: dark)");
    const rules = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules]);
    const { media } = rules.find((rule) => rule.media?.mediaText === system.media); // of the dark colors
    const isDark = () => window.matchMedia(media.mediaText).matches;
    const show = () => {
        button.textContent = isDark() ? "Light" : "Dark";
        button.title = `${button.textContent} colors`;
        button.setAttribute("aria-label", button.title);
        themeChanged();
    };
    button.addEventListener("click", () => {
        media.mediaText = isDark() ? "not all" : "all";
        show();
    });
    system.addEventListener("change", show);
    show();
}

async function start() {
    connectTheme();
    const exported = document.getElementById("model") !== null;
    const store = new Store((network, x, noise) => forward(...shaken(network, x, noise)));
    const server = exported ? null : new (await import("./shared/server.js")).Server(location, store);
    const own = ["examples", "digits"].find((each) => document.getElementById(each)); // the digits only where the network reads them
    const read = async () => (own === "digits" ? heldOut(new Uint8Array(await unpacked(own))) : JSON.parse(new TextDecoder().decode(await unpacked(own))));
    const [engine, model] = await Promise.all(server ? ["engine", "model?of=given"].map((path) => server.bytes(path)) : ["engine", "model"].map(unpacked));
    await load(engine);
    const network = { ...readModel(model), of: "given" };
    const examples = server ?? (own === "examples" || (own && network.reading === "digits") ? new Held(read, store) : null);
    store.on(["network"], () => {
        document.getElementById("about").textContent = store.network.sizes.join(" – ");
        if (!store.network.practice) {
            document.getElementById("tab-draw").textContent = readsDrawings(store.network) ? "Draw" : "Inputs";
        }
    });
    const trainer = server || document.getElementById("digits") ? new LocalTrainer(engine, server, store) : null;
    for (const [name, mount] of Object.entries(MOUNTS)) {
        mount(document.getElementById(name), store, examples, trainer);
    }
    if (trainer) {
        mountTrain(document.getElementById("train"), store, server, trainer);
    }
    readDrawings(store);
    connectTabs(store);
    connectTour(store);
    store.set({ network });
    connectShare(store);
    connectAddress(store);
    document.getElementById("main").removeAttribute("aria-busy");
}

if (typeof document === "undefined") {
    self.onmessage = obey; // in a worker
} else {
    start().catch((error) => {
        const textContent = `The page could not start: ${error.message}`;
        Object.assign(document.getElementById("failure"), { hidden: false, textContent });
        throw error;
    });
}
