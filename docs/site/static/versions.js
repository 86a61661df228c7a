// The list of versions lies beside the folders of the versions. Without it, as on a disk, nothing is shown.
const root = new URL(document.documentElement.dataset.content_root, location.href)
const list = document.createElement("script")
list.src = new URL("../versions.js", root)
list.onload = () => {
  const here = root.pathname.split("/").at(-2)
  const select = document.createElement("select")
  select.setAttribute("aria-label", "Version")
  for (const name of window.ROLL_VERSIONS) select.add(new Option(name, name, false, name === here))
  select.onchange = () => { location.href = new URL(`../${select.value}/`, root) }
  const box = document.createElement("div")
  box.className = "versions"
  box.append(select)
  document.querySelector(".sidebar-sticky").append(box)
}
document.head.append(list)
