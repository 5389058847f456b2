/** The page for unknown addresses. */
import { Empty } from '../parts/base/basics.tsx';
import { Page } from '../parts/base/page.tsx';

export function NotFoundPage() {
  return (
    <Page title="Page not found">
      <Empty title="There is no page at this address.">
        <a href="/ui/">Go to Needs attention</a>
      </Empty>
    </Page>
  );
}
