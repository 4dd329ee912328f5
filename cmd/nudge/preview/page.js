// Makes each mail's frame as high as the mail, and takes a new page when the
// file was saved.
"use strict";

function fit(frame) {
  const page = frame.contentDocument;
  if (page && page.documentElement) {
    frame.style.height = page.documentElement.scrollHeight + "px";
  }
}

function watchFrames() {
  for (const frame of document.querySelectorAll("iframe")) {
    frame.addEventListener("load", () => fit(frame));
    fit(frame);
  }
}

async function look() {
  try {
    const version = await (await fetch("version", { cache: "no-store" })).text();
    const main = document.querySelector("main");
    if (version !== main.dataset.version) {
      const page = new DOMParser().parseFromString(await (await fetch("./", { cache: "no-store" })).text(), "text/html");
      main.replaceWith(document.adoptNode(page.querySelector("main")));
      document.title = page.title;
      watchFrames();
    }
  } catch (gone) {
    document.title = "ended – preview";
  }
  setTimeout(look, 600);
}

watchFrames();
look();
