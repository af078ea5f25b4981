// A link to a closed part of the page opens it.
const reveal = () => {
  const part = location.hash && document.getElementById(location.hash.slice(1));
  if (part instanceof HTMLDetailsElement) { part.open = true; part.scrollIntoView(); }
};
addEventListener("hashchange", reveal);
reveal();
