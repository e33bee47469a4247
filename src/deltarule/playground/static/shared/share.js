// A link to what the page shows: drawing, network, world and step, without a token; and the parts that a lesson hides from those who open it.

import { addressOf, VERSION } from "./store.js";
import { element } from "./widgets.js";

/** What a link can hide besides tabs, by the word in the address: see style.css. */
const PARTS = { settings: "the settings of Train", curves: "the curves", answers: "what the network answers" };

/** Copies a text, and says in `place` that it did, or what to do if the browser forbids it. */
export function copy(text, place) {
    (navigator.clipboard?.writeText(text) ?? Promise.reject(new Error("no clipboard")))
        .then(() => (place.textContent = "Copied."), () => (place.textContent = "This browser does not let the page copy: select the text and copy it."));
}

/** The link to the store's present state. */
export function linkTo(store, hides) {
    const step = store.build && store.step > 0 ? `&step=${store.step}` : "";
    return `${location.href.split(/[?#]/)[0]}#${addressOf({ ...store, label: store.label, hides })}${step}&v=${VERSION}`;
}

/** Connects the button Share, and hides the parts that an address names. */
export function connectShare(store) {
    const tabs = [...document.querySelectorAll("[role=tab]")];
    const dialog = document.getElementById("sharing");
    const [link, copied, boxes] = ["input", "[role=status]", "fieldset"].map((each) => dialog.querySelector(each));
    if (location.protocol === "file:") {
        dialog.querySelector("label").append(" It leads to this file: send the file, too.");
    }
    const write = () => {
        copied.textContent = "";
        link.value = linkTo(store, [...boxes.querySelectorAll(":checked")].map(({ name }) => name));
    };
    const box = (name, text) => element("label", { class: "switch" }, element("input", { type: "checkbox", name, onchange: write }), ` ${text}`);
    link.addEventListener("focus", () => link.select());
    dialog.querySelector(".primary").addEventListener("click", () => copy(link.value, copied));
    document.getElementById("share").addEventListener("click", () => {
        const others = tabs.filter((tab) => !tab.hidden && tab.getAttribute("aria-selected") !== "true");
        boxes.replaceChildren(boxes.firstChild, ...others.map((tab) => box(tab.getAttribute("aria-controls"), tab.textContent)), ...Object.entries(PARTS).map((each) => box(...each)));
        write();
        dialog.showModal();
    });
    store.on(["hides"], () => {
        document.body.dataset.hides = store.hides.join(" ");
        tabs.forEach((tab) => (tab.hidden ||= store.hides.includes(tab.getAttribute("aria-controls"))));
    });
    const textContent = "A newer deltarule made this link: this page shows the parts that it can read.";
    store.on(["isNewer"], () => Object.assign(document.getElementById("failure"), { hidden: false, textContent }));
}
