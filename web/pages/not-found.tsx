import { Empty } from '../parts/base/basics.tsx';

export function NotFoundPage() {
  return (
    <div class="page">
      <h1>There is no such page</h1>
      <Empty title="The address leads nowhere.">
        <a href="/ui/">To what needs attention</a>
      </Empty>
    </div>
  );
}
