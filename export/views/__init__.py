"""Views: what training sees of labelled pictures, cut out, changed and put together anew."""
