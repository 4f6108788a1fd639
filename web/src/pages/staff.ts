/** Entry of the staff pages: htmx, within a policy that allows neither inline style nor evaluation. */

import '../styles/staff.css';
import htmx from 'htmx.org';

htmx.config.includeIndicatorStyles = false; // they are in staff.css
htmx.config.allowEval = false;
htmx.config.selfRequestsOnly = true;
htmx.config.allowScriptTags = false;
