/** A dialog over the page, which is there for as long as it is asked for. */
import type { Signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';

/**
 * The request that a dialog is open for; 0 for none. Each has a number of its own: a browser says that a dialog was closed only
 * with the next frame, when it may have been asked for again.
 */
export type ModalRequest = Signal<number>;

let requests = 0;

export function openModal(request: ModalRequest): void {
  requests += 1;
  request.value = requests;
}

interface ModalProps {
  request: ModalRequest;
  title: ComponentChildren;
  children: (close: () => void) => ComponentChildren;
}

export function Modal({ request, title, children }: ModalProps) {
  const number = request.value;
  const onClosed = (): void => {
    if (request.value === number) request.value = 0;
  };
  return (
    number !== 0 && (
      <Opened key={number} title={title} onClosed={onClosed}>
        {children}
      </Opened>
    )
  );
}

function Opened({ title, children, onClosed }: Omit<ModalProps, 'request'> & { onClosed: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useLayoutEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClosed}>
      <h2 id={id}>{title}</h2>
      {children(() => dialog.current?.close())}
    </dialog>
  );
}
