// The page without its token: takes the address that `deltarule playground` printed, and keeps the part after #.

const field = document.getElementById("address");
document.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    const token = /[?&]token=([\w-]+)/.exec(field.value)?.[1] ?? field.value.trim();
    location.replace(`/?token=${encodeURIComponent(token)}${location.hash}`);
});
