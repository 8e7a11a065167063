/** What is wrong with how a page is laid out, found out in the browser. */
import type { Page } from 'playwright-core';

/**
 * A line for each fault: the page scrolls sideways; a text is cut without an ellipsis, or sticks out of a box around it that
 * does not scroll; two neighbours, or two texts of a drawing, lie over each other.
 */
export const layoutProblems = (page: Page): Promise<string[]> => page.evaluate(problemsOf);

/** Runs in the page: everything that it needs is inside. */
function problemsOf(): string[] {
  /** In pixels: positions are fractions, and fonts are a little higher than their lines. */
  const TOLERANCE = 1.5;
  const problems: string[] = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth)
    problems.push(`the page is ${root.scrollWidth - root.clientWidth} px wider than its window`);

  const nameOf = (element: Element): string => {
    const name = element.getAttribute('class') ?? '';
    const text = (element.textContent ?? '').replaceAll(/\s+/g, ' ').slice(0, 50);
    return `<${element.tagName.toLowerCase()}${name === '' ? '' : ` class="${name}"`}> “${text}”`;
  };
  const styles = new Map<Element, CSSStyleDeclaration>();
  const styleOf = (element: Element): CSSStyleDeclaration => {
    const known = styles.get(element) ?? getComputedStyle(element);
    styles.set(element, known);
    return known;
  };
  /** Not what only a screen reader is told, nor what is folded away. */
  const isSeen = (element: Element): boolean =>
    element.closest('.sr, [hidden], option') === null &&
    element.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true });
  const cuts = ({ overflowX }: CSSStyleDeclaration): boolean =>
    overflowX === 'hidden' || overflowX === 'clip';

  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node !== null; node = texts.nextNode()) {
    const parent = node.parentElement;
    if (parent === null || node.textContent?.trim() === '' || parent.closest('svg') !== null) continue;
    if (!isSeen(parent)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const { left, right } = range.getBoundingClientRect();
    for (let box: Element | null = parent; box !== null && box !== root; box = box.parentElement) {
      const style = styleOf(box);
      if (style.display.startsWith('inline') && style.display === 'inline') continue;
      if (style.display === 'contents') continue;
      const around = box.getBoundingClientRect();
      const isOut = left < around.left - TOLERANCE || right > around.right + TOLERANCE;
      const isCut = cuts(style) && style.textOverflow !== 'ellipsis' && style.webkitLineClamp === 'none';
      if (isOut && (style.overflowX === 'visible' || isCut)) {
        problems.push(`${nameOf(parent)} ${isCut ? 'is cut by' : 'sticks out of'} ${nameOf(box)}`);
        break;
      }
      if (style.overflowX !== 'visible' || style.position === 'absolute' || style.position === 'fixed') break;
    }
  }

  const lieOver = (a: DOMRect, b: DOMRect): boolean =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > TOLERANCE &&
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > TOLERANCE;
  const comparePairs = (elements: readonly Element[]): void => {
    const boxes = elements
      .map((element) => ({ element, box: element.getBoundingClientRect() }))
      .toSorted((a, b) => a.box.top - b.box.top);
    for (const [index, a] of boxes.entries())
      for (let next = index + 1; next < boxes.length; next++) {
        const b = boxes[next];
        if (b === undefined || b.box.top > a.box.bottom) break;
        if (lieOver(a.box, b.box))
          problems.push(`${nameOf(a.element)} and ${nameOf(b.element)} lie over each other`);
      }
  };
  const isInFlow = (element: Element): boolean => {
    const { display, position } = styleOf(element);
    return (
      display !== 'inline' && display !== 'contents' && (position === 'static' || position === 'relative')
    );
  };
  for (const parent of document.querySelectorAll('body *:not(svg, svg *, option)')) {
    const children = [...parent.children].filter((child) => child.tagName !== 'SCRIPT');
    if (children.length < 2) continue;
    comparePairs(children.filter((child) => isSeen(child) && isInFlow(child)));
  }
  for (const svg of document.querySelectorAll('svg')) {
    const drawn = [...svg.querySelectorAll('text')].filter(isSeen);
    comparePairs(drawn.filter((text) => (text.textContent ?? '').trim() !== ''));
  }
  return [...new Set(problems)];
}
