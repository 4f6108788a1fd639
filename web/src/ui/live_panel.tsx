/** Looking together: invite, who is there, who presents, asking for it, handing it over, leaving (K4). */

import { signal } from '@preact/signals';
import type { Person } from '../live/messages';
import type { Connection, RoomClient } from '../live/room_client';
import '../styles/live_panel.css';

const CONNECTION: Record<Connection, string> = {
  connecting: '正在连接…',
  live: '共览中',
  lost: '共览已断开',
};

const isCopied = signal(false);
const isLinkShown = signal(false);

interface PanelProps {
  readonly client: RoomClient;
  /** The address to invite to, the room's token in its fragment. */
  readonly link: string;
  /** Ends the room for everybody; only who opened it has this. */
  readonly onEnd?: (() => void) | undefined;
  /** After leaving, or when the room is over. */
  readonly onClose: () => void;
}

export function LivePanel({ client, link, onEnd, onClose }: PanelProps) {
  const connection = client.connection.value;
  return (
    <section class="live-panel" aria-label="共览" data-connection={connection}>
      <p class="live-status" role="status">
        {CONNECTION[connection]}
      </p>
      {client.notice.value && (
        <p class="live-notice" role="alert">
          {client.notice.value}
        </p>
      )}
      {connection !== 'lost' && (
        <>
          <Invitation link={link} />
          <People client={client} />
          <Role client={client} />
        </>
      )}
      <div class="live-buttons">
        {connection !== 'lost' && client.isOwner.value && onEnd && (
          <button type="button" onClick={onEnd}>
            结束共览
          </button>
        )}
        <button
          type="button"
          data-live="leave"
          onClick={() => {
            client.leave();
            onClose();
          }}
        >
          {connection === 'lost' ? '关闭' : '离开'}
        </button>
      </div>
    </section>
  );
}

function Invitation({ link }: { link: string }) {
  return (
    <>
      <button type="button" class="live-wide" data-live="invite" onClick={() => void copy(link)}>
        {isCopied.value ? '链接已复制' : '邀请：复制链接'}
      </button>
      {isLinkShown.value && (
        <input class="live-link" readOnly value={link} aria-label="邀请链接" onFocus={selectAll} />
      )}
    </>
  );
}

function People({ client }: { client: RoomClient }) {
  const asking = new Set(client.asking.value);
  const people = client.people.value;
  return (
    <>
      <h2>谁在看（{people.filter(({ here }) => here).length}）</h2>
      <ul class="live-people">
        {people.map((person) => (
          <li key={person.id} data-here={person.here} data-asks={asking.has(person.id)}>
            <span class="live-name">
              {person.name}
              {person.id === client.you.value && '（我）'}
            </span>
            <span class="live-role">{roleOf(person, client.presenter.value, asking)}</span>
            {client.isPresenter.value && person.here && person.id !== client.you.value && (
              <button type="button" data-live="give" onClick={() => client.give(person.id)}>
                交出主持
              </button>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

function Role({ client }: { client: RoomClient }) {
  if (client.isPresenter.value) return <p class="live-hint">您正在主持：大家看到的和您一样</p>;
  return (
    <div class="live-buttons">
      {client.mayTake.value ? (
        <button type="button" data-live="take" onClick={() => client.take()}>
          由我主持
        </button>
      ) : (
        <button type="button" data-live="ask" onClick={() => client.ask()}>
          申请主持
        </button>
      )}
      {client.isFollowing.value ? (
        <button type="button" data-live="unfollow" onClick={() => client.unfollow()}>
          暂不跟随
        </button>
      ) : (
        <button type="button" data-live="follow" onClick={() => client.follow()}>
          继续跟随
        </button>
      )}
    </div>
  );
}

function roleOf(person: Person, presenter: string, asking: ReadonlySet<string>): string {
  if (!person.here) return '暂时离线';
  if (person.id === presenter) return '主持';
  return asking.has(person.id) ? '申请主持' : '';
}

/** Web-views often have no clipboard: then the link is shown, to be taken by hand. */
async function copy(link: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(link);
    isCopied.value = true;
    setTimeout(() => {
      isCopied.value = false;
    }, 2_000);
  } catch {
    isLinkShown.value = true;
  }
}

function selectAll(event: FocusEvent): void {
  (event.currentTarget as HTMLInputElement).select();
}
