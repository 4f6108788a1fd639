/** The way into a room of co-viewing: from the tools, or by the link of an invitation. */

import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { browserClock } from '../live/clock';
import { FilmSharing } from '../live/film_sharing';
import { RoomClient } from '../live/room_client';
import { closeRoom, openRoom, roomOf, socketOf } from '../live/rooms_api';
import type { FilmSession } from '../session/film_session';
import { ICONS } from './icons';
import { LivePanel } from './live_panel';
import { registerPanel } from './panel_registry';
import { WORDS } from './words';

interface Joined {
  readonly client: RoomClient;
  readonly room: string;
  readonly link: string;
}

const joined = signal<Joined | null>(null);
const trouble = signal('');

/** Offers co-viewing where the film may be shared, and enters the room of the address. */
export function offerLive(session: FilmSession, csrfToken: string): void {
  const { exam_id: examId } = session.manifest;
  const join = (room: string, socket: string): void => {
    const address = new URL(socket + room, location.href);
    address.protocol = address.protocol.replace('http', 'ws');
    const client = new RoomClient({
      film: new FilmSharing(session),
      name: WORDS.guest,
      open: () => new WebSocket(address),
      clock: browserClock,
    });
    client.start();
    joined.value = { client, room, link: `${location.origin}${location.pathname}#room=${room}` };
  };
  const invited = roomOf(location.hash);
  let isEntering = invited !== null;
  const open = async (): Promise<void> => {
    if (isEntering) return; // the room of the invitation comes in a moment: a second one would part the two
    try {
      const { room, socket } = await openRoom(examId, csrfToken);
      history.replaceState(null, '', `#room=${room}`);
      join(room, socket);
    } catch {
      trouble.value = WORDS.liveTrouble;
    }
  };
  const leave = (): void => {
    joined.value = null;
    history.replaceState(null, '', location.pathname);
  };
  const end = ({ room }: Joined): void => {
    void closeRoom(examId, csrfToken, room).catch(() => {
      trouble.value = WORDS.liveTrouble;
    });
  };
  registerPanel({
    id: 'live',
    label: WORDS.live,
    icon: ICONS.people,
    render: () => <LiveEntry open={open} leave={leave} end={end} />,
  });
  if (invited) {
    socketOf(examId)
      .then((socket) => join(invited, socket))
      .catch(() => {
        trouble.value = WORDS.liveTrouble;
      })
      .finally(() => {
        isEntering = false;
      });
  }
  for (const event of ['online', 'pageshow', 'visibilitychange']) {
    addEventListener(event, () => joined.peek()?.client.wake());
  }
}

interface EntryProps {
  open: () => Promise<void>;
  leave: () => void;
  end: (room: Joined) => void;
}

function LiveEntry({ open, leave, end }: EntryProps) {
  const now = joined.value;
  useEffect(() => {
    if (!joined.peek()) void open();
  }, [open]);
  if (!now) return <p role="alert">{trouble.value || '…'}</p>;
  return <LivePanel client={now.client} link={now.link} onEnd={() => end(now)} onClose={leave} />;
}
