// A formula that is wider than its place scrolls (book.css); with a tab stop it does so by the keyboard too.
window.addEventListener("load", async () => {
  await window.MathJax?.startup?.promise;
  document.querySelectorAll("article .math, article mjx-container").forEach((formula) => {
    const scrolls = ["auto", "scroll"].includes(getComputedStyle(formula).overflowX);
    if (scrolls && formula.scrollWidth > formula.clientWidth) formula.tabIndex = 0;
  });
});
